//! The configuration: every value with its source, what was edited over it, and changes of it.

mod check;
mod preset;
mod presets;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use self::{
    check::{__path_check, check},
    preset::{__path_erase, __path_save, erase, save},
    presets::{__path_export, __path_import, __path_presets, export, import, presets},
};
use super::{
    Context,
    answer::refusal,
    backends::{tag, tagged},
    describe::{Away, Bad, Conflicting, Outdated},
    piece::{Pieces, any, flat},
};
use crate::{
    Handle,
    config::{Edits, FieldDoc, Problems, ValueRow, schema, secret::HIDDEN},
    model::Class,
    settings::{Change, Edit, Fields, Proposal},
};

/// The configuration as it counts now. A secret that was written out stands as `(hidden)`.
#[derive(Serialize, ToSchema)]
struct ConfigView {
    /// Every value with its source; empty where the host's own code gave them.
    values: Vec<ValueRow>,
    /// The paths that were edited through the API.
    edited: Vec<String>,
    /// Backends and pools that were taken out of the layers below.
    removed: Vec<String>,
    /// Why the layers come to nothing now, while the last good ones count.
    problems: Problems,
    /// What works, and what a person should still look at.
    warnings: Problems,
    /// Servers that were found and are no backends.
    proposals: Vec<Proposal>,
    /// How many edits can be taken back.
    undo: usize,
}

/// All edits: what is not named is no edit any more.
#[derive(Deserialize, ToSchema)]
struct Whole {
    /// Values by path. The value `(hidden)` keeps the secret that is there.
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    edits: Pieces,
    /// Backends and pools to take out of the layers below, like `backends.comfyui`.
    #[serde(default)]
    removed: Vec<String>,
}

/// Values by path (`log.files`, `pools.image.members`); `null` takes an edit back.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is a description")]
struct Values(std::collections::BTreeMap<String, Option<serde_json::Value>>);

/// Every field that the configuration may have, for a form.
#[derive(Serialize, ToSchema)]
struct Fieldset {
    /// Groups before what is in them.
    #[schema(value_type = Vec<super::schema::Field>)]
    fields: &'static [FieldDoc],
}

/// The configuration as it counts now; its `ETag` is for `If-Match`.
#[utoipa::path(get, path = "/config", responses((status = 200, body = ConfigView)))]
pub(crate) async fn show(State(context): State<Context>) -> Response {
    seen(&context.handle)
}

/// Replaces all edits; wants `If-Match`.
#[utoipa::path(
    put, path = "/config", params(("If-Match" = String, Header, description = "The `ETag` of what is replaced, or `*`")),
    request_body = Whole, responses((status = 200, body = Change), Bad, Conflicting, Outdated, Away)
)]
pub(crate) async fn replace(State(context): State<Context>, headers: HeaderMap, body: Bytes) -> Response {
    if !headers.contains_key(header::IF_MATCH) {
        let message = "all edits would be replaced, and `If-Match` does not say which were seen";
        let fix = "Send the `ETag` of `GET /api/v1/config` as `If-Match`, or `*`.";
        return refusal(StatusCode::PRECONDITION_FAILED, "no_if_match", Class::Conflict, message, fix);
    }
    let whole = serde_json::from_slice::<Whole>(&body).map_err(|e| e.to_string());
    match whole.and_then(|whole| edits(&context.handle, whole).map_err(str::to_owned)) {
        Ok(edits) => done(&context.handle, Edit::Replace(edits), tag(&headers)).await,
        Err(why) => bad_body(&why),
    }
}

/// Changes some values; `null` takes an edit back.
#[utoipa::path(
    patch, path = "/config", params(("If-Match" = Option<String>, Header)),
    request_body = Values, responses((status = 200, body = Change), Bad, Conflicting, Outdated, Away)
)]
pub(crate) async fn change(State(context): State<Context>, headers: HeaderMap, body: Bytes) -> Response {
    match values(&body) {
        Ok(fields) => done(&context.handle, Edit::Write(fields), tag(&headers)).await,
        Err(why) => bad_body(&why),
    }
}

/// Takes back all edits: what the layers below say counts again.
#[utoipa::path(
    delete, path = "/config", params(("If-Match" = Option<String>, Header)),
    responses((status = 200, body = Change), Bad, Conflicting, Outdated, Away)
)]
pub(crate) async fn reset(State(context): State<Context>, headers: HeaderMap) -> Response {
    done(&context.handle, Edit::Replace(Edits::default()), tag(&headers)).await
}

/// Takes back the last edit, and the one before when it is asked again.
#[utoipa::path(
    post, path = "/config/undo", params(("If-Match" = Option<String>, Header)),
    responses((status = 200, body = Change), Bad, Conflicting, Outdated, Away)
)]
pub(crate) async fn undo(State(context): State<Context>, headers: HeaderMap) -> Response {
    done(&context.handle, Edit::Undo, tag(&headers)).await
}

/// Every field with its type, range, default and what it does.
#[utoipa::path(get, path = "/config/schema", responses((status = 200, body = Fieldset)))]
pub(crate) async fn fields() -> Response {
    Json(Fieldset { fields: schema() }).into_response()
}

fn seen(handle: &Handle) -> Response {
    let (edits, loaded) = (handle.edits(), handle.loaded());
    let view = ConfigView {
        values: loaded.as_ref().map(|loaded| loaded.values()).unwrap_or_default(),
        edited: edits.paths().map(str::to_owned).collect(),
        removed: edits.removed().map(str::to_owned).collect(),
        problems: handle.config_problems(),
        warnings: loaded.map(|loaded| loaded.warnings.clone()).unwrap_or_default(),
        proposals: handle.finds(),
        undo: handle.undoable(),
    };
    tagged(handle, Json(view).into_response())
}

async fn done(handle: &Handle, edit: Edit, tag: Option<String>) -> Response {
    match handle.edit(edit, tag).await {
        Ok(change) => tagged(handle, Json(change).into_response()),
        Err(error) => error.into_response(),
    }
}

fn values(body: &[u8]) -> Result<Fields, String> {
    let pieces: Pieces = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    flat(pieces).map_err(str::to_owned)
}

/// The edits of a body. What was hidden from its writer stays what it is.
fn edits(handle: &Handle, whole: Whole) -> Result<Edits, &'static str> {
    let now = handle.edits();
    let mut edits = Edits::default();
    for path in whole.removed {
        edits.remove(path);
    }
    for (path, text) in any(whole.edits)?.into_texts() {
        match text {
            Some(text) if text == HIDDEN => {
                if let Some((path, kept)) = now.texts().find(|(known, _)| *known == path) {
                    edits.write(path, kept);
                }
            }
            Some(text) => edits.write(path, text),
            None => {}
        }
    }
    Ok(edits)
}

fn bad_body(why: &str) -> Response {
    let message = format!("the body is no change of the configuration: {why}");
    let fix = "Send values by path, like {\"log.files\":5}; `GET /api/v1/config/schema` lists them.";
    refusal(StatusCode::BAD_REQUEST, "bad_body", Class::Usage, &message, fix)
}
