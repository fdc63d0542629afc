//! Whole configurations: presets, a file's text that comes, and one that goes.

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{
        Context,
        backends::tag,
        describe::{Away, Bad, Conflicting, Outdated},
    },
    bad_body, done,
};
use crate::{
    Error, Handle,
    config::{layer::Layer, preset, text::edits_of},
    settings::{Change, Edit},
};

#[derive(Serialize, ToSchema)]
pub(super) struct Presets {
    presets: Vec<Preset>,
}

/// A configuration to begin with.
#[derive(Serialize, ToSchema)]
struct Preset {
    name: &'static str,
    /// Whom it is for, one sentence.
    title: &'static str,
    /// The file's text, with comments.
    text: &'static str,
}

/// The configuration as one file, without secrets.
#[derive(Serialize, ToSchema)]
pub(super) struct Export {
    /// RON.
    text: String,
    /// Variables that it refers to in place of secrets that were written out.
    variables: Vec<String>,
}

/// What is to become the configuration: one of both.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Import {
    /// A file's text, which builds on no other file.
    pub(super) text: Option<String>,
    /// The name of a preset.
    pub(super) preset: Option<String>,
}

/// The presets that come with Backline.
#[utoipa::path(get, path = "/config/presets", responses((status = 200, body = Presets)))]
pub(crate) async fn presets() -> Response {
    let presets = crate::config::presets();
    let presets = presets.iter().map(|p| Preset { name: p.name, title: p.title, text: p.text }).collect();
    Json(Presets { presets }).into_response()
}

/// The configuration as one file, without secrets.
#[utoipa::path(get, path = "/config/export", responses((status = 200, body = Export), Conflicting))]
pub(crate) async fn export(State(context): State<Context>) -> Response {
    match context.handle.loaded() {
        Some(loaded) => {
            let exported = loaded.export();
            Json(Export { text: exported.text, variables: exported.variables }).into_response()
        }
        None => Error::Restarting { actor: "settings" }.into_response(),
    }
}

/// Makes a text or a preset the configuration, as edits: backends and pools that it does not name are taken out. It
/// can be taken back.
#[utoipa::path(
    post, path = "/config/import", params(("If-Match" = Option<String>, Header)), request_body = Import,
    responses((status = 200, body = Change), Bad, Conflicting, Outdated, Away)
)]
pub(crate) async fn import(State(context): State<Context>, headers: HeaderMap, body: Bytes) -> Response {
    let import = serde_json::from_slice::<Import>(&body).map_err(|e| e.to_string());
    match import.and_then(|import| import.edit(&context.handle)) {
        Ok(Ok(edit)) => done(&context.handle, edit, tag(&headers)).await,
        Ok(Err(error)) => error.into_response(),
        Err(why) => bad_body(&why),
    }
}

impl Import {
    pub(super) fn edit(self, handle: &Handle) -> Result<Result<Edit, Error>, String> {
        let text = match (self.text, self.preset.as_deref()) {
            (Some(text), None) => text,
            (None, Some(name)) => match preset(name) {
                Some(preset) => preset.text.to_owned(),
                None => {
                    return Err("there is no such preset; `GET /api/v1/config/presets` lists them".to_owned());
                }
            },
            _ => return Err("it names a `text` or a `preset`".to_owned()),
        };
        let loaded = handle.loaded();
        let nothing = Layer::default();
        let below = loaded.as_ref().map_or(&nothing, |loaded| &loaded.merged);
        Ok(edits_of(&text, below).map(Edit::Replace).map_err(Error::Invalid))
    }
}
