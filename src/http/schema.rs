//! What the description says of types that are written as something plainer, or that another crate has.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, SchemaType, Type},
    },
};

use crate::{
    config::ShownValue,
    discovery::Find,
    model::{BackendId, Code, NoticeId},
    net::Address,
};

/// A node of the supervision tree: an actor or a supervisor.
#[derive(Serialize, ToSchema)]
pub struct TreeNode {
    /// The child's id.
    id: String,
    /// `down`, `starting`, `running`, `stopping`, `waiting`, `quarantined`, `ended`.
    state: String,
    /// Restarts after crashes.
    restarts: u64,
    /// How often it was started.
    incarnation: u64,
    /// How it last ended.
    last_exit: Option<Ended>,
    /// Its children; empty for a worker.
    #[schema(no_recursion)]
    children: Vec<TreeNode>,
}

/// How an actor ended.
#[derive(Serialize, ToSchema)]
struct Ended {
    /// `normal`, `killed`, `failed`, `not_started`, `abandoned`.
    kind: String,
    /// What it said.
    message: String,
}

/// What a sweep found.
#[derive(Serialize, ToSchema)]
pub(crate) struct Swept {
    /// Who, in the order of the ports.
    found: Vec<Find>,
    /// How many ports were looked at, each host's counted.
    scanned: u64,
    /// How long it took.
    took_ms: u64,
    /// Who took the connection and had not said what it is after 1.5 s.
    silent: Vec<Address>,
}

/// A field of the configuration.
#[derive(Serialize, ToSchema)]
pub(crate) struct Field {
    /// Its path, `*` for a name of the user's.
    path: String,
    /// `group`, `map`, `flag`, `count`, `duration`, `size`, `text`, `texts`, `url`, `secret`, …
    r#type: String,
    /// As it would be written; empty where there is none.
    default: String,
    /// What it does, one sentence.
    sentence: String,
    /// What is expected, in words.
    expected: String,
    /// Whether its value is write-only.
    secret: bool,
    /// The values to choose from, where there are only so many.
    choices: Vec<String>,
    min: Option<String>,
    max: Option<String>,
}

/// Texts with a shape of their own.
macro_rules! texts {
    ($($type:ty, $name:literal, $pattern:expr;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                text($pattern).into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    )*};
}

texts! {
    BackendId, "BackendId", Some("^[a-z0-9][a-z0-9_-]{0,63}$");
    NoticeId, "NoticeId", Some("^n[0-9a-f]{1,16}$");
    Address, "Address", None;
}

fn text(pattern: Option<&str>) -> Schema {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).pattern(pattern).into()
}

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        let names = Self::ALL.iter().map(|code| code.as_str());
        Schema::from(
            ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(names)),
        )
        .into()
    }
}

impl ToSchema for Code {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Code")
    }
}

impl PartialSchema for ShownValue {
    fn schema() -> RefOr<Schema> {
        let plain = |kind| Schema::from(ObjectBuilder::new().schema_type(SchemaType::Type(kind)));
        let list = ArrayBuilder::new().items(RefOr::T(text(None)));
        let any = [plain(Type::Boolean), plain(Type::Integer), plain(Type::String)];
        let one_of = any.into_iter().fold(OneOfBuilder::new(), |all, one| all.item(one));
        Schema::from(one_of.item(list)).into()
    }
}

impl ToSchema for ShownValue {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ShownValue")
    }
}
