//! What a change would come to.

use axum::{
    Json,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    super::{
        Context,
        describe::{Away, Bad, Conflicting},
        piece::{Pieces, flat},
    },
    Whole, bad_body, edits,
    presets::Import,
};
use crate::{
    Error, Handle,
    settings::{Edit, Fields, Preview},
};

/// A change in one of its forms; nothing: the configuration as it is.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Proposed {
    /// Values by path, as `PATCH /config` takes them.
    #[schema(value_type = Option<std::collections::BTreeMap<String, serde_json::Value>>)]
    change: Option<Pieces>,
    /// All edits, as `PUT /config` takes them.
    #[schema(value_type = Option<std::collections::BTreeMap<String, serde_json::Value>>)]
    edits: Option<Pieces>,
    /// With `edits`: what is taken out.
    #[serde(default)]
    removed: Vec<String>,
    /// A file's text, as `POST /config/import` takes it.
    text: Option<String>,
    /// The name of a preset.
    preset: Option<String>,
}

/// Says what a change would come to: every problem, every value that would differ. Nothing is changed.
#[utoipa::path(
    post, path = "/config/check", request_body = Option<Proposed>,
    responses((status = 200, body = Preview), Bad, Conflicting, Away)
)]
pub(crate) async fn check(State(context): State<Context>, body: Bytes) -> Response {
    let proposed = match body.as_ref() {
        [] => Ok(Proposed::default()),
        body => serde_json::from_slice::<Proposed>(body).map_err(|e| e.to_string()),
    };
    let edit = match proposed {
        Ok(proposed) => proposed.edit(&context.handle).await,
        Err(why) => Err(why),
    };
    let edit = match edit {
        Ok(Ok(edit)) => edit,
        Ok(Err(Error::Invalid(problems))) => return Json(Preview::refused(problems)).into_response(),
        Ok(Err(error)) => return error.into_response(),
        Err(why) => return bad_body(&why),
    };
    match context.handle.preview(edit).await {
        Ok(preview) => Json(preview).into_response(),
        Err(error) => error.into_response(),
    }
}

impl Proposed {
    async fn edit(self, handle: &Handle) -> Result<Result<Edit, Error>, String> {
        let named = usize::from(self.change.is_some())
            + usize::from(self.edits.is_some())
            + usize::from(self.text.is_some() || self.preset.is_some());
        if named > 1 {
            return Err("one of `change`, `edits`, `text` and `preset` at a time".to_owned());
        }
        if let Some(pieces) = self.change {
            return flat(pieces).map(|fields| Ok(Edit::Write(fields))).map_err(str::to_owned);
        }
        if let Some(pieces) = self.edits {
            let whole = Whole { edits: pieces, removed: self.removed };
            return edits(handle, whole).map(|edits| Ok(Edit::Replace(edits))).map_err(str::to_owned);
        }
        if self.text.is_some() || self.preset.is_some() {
            return Import { text: self.text, preset: self.preset }.edit(handle).await;
        }
        Ok(Ok(Edit::Write(Fields::new())))
    }
}
