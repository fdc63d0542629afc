//! Whole configurations: presets, a file's text that comes, and one that goes.

use std::path::Path;

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
    config::{layer::Layer, preset, saved_path, saved_presets, text::edits_of},
    settings::{Change, Edit},
};

#[derive(Serialize, ToSchema)]
pub(super) struct Presets {
    presets: Vec<Preset>,
}

/// A configuration to begin with.
#[derive(Serialize, ToSchema)]
struct Preset {
    name: String,
    /// Whom it is for, one sentence.
    title: String,
    /// The file's text, with comments.
    text: String,
    /// Whose it is.
    source: Origin,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Origin {
    /// It comes with Backline.
    BuiltIn,
    /// The user saved it.
    Saved,
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

/// The presets that come with Backline, and those that the user saved.
#[utoipa::path(get, path = "/config/presets", responses((status = 200, body = Presets)))]
pub(crate) async fn presets(State(context): State<Context>) -> Response {
    let built_in = crate::config::presets().iter().map(|preset| Preset {
        name: preset.name.to_owned(),
        title: preset.title.to_owned(),
        text: preset.text.to_owned(),
        source: Origin::BuiltIn,
    });
    let saved = saved(&context.handle).await.into_iter().map(|(name, text)| {
        let title = "Saved by you.".to_owned();
        Preset { name, title, text, source: Origin::Saved }
    });
    Json(Presets { presets: built_in.chain(saved).collect() }).into_response()
}

/// The user's presets, by name. One that cannot be read is none, and told in the log.
async fn saved(handle: &Handle) -> Vec<(String, String)> {
    let Some(directory) = handle.presets_dir().map(Path::to_owned) else { return Vec::new() };
    let read = move || {
        let names = saved_presets(&directory).inspect_err(|error| {
            tracing::warn!(directory = %directory.display(), %error, "the user's presets cannot be listed");
        });
        let text = |name: String| {
            let text = saved_path(&directory, &name).and_then(std::fs::read_to_string);
            text.inspect_err(|error| tracing::warn!(name, %error, "a preset cannot be read"))
                .ok()
                .map(|text| (name, text))
        };
        names.unwrap_or_default().into_iter().filter_map(text).collect()
    };
    // A bug of what reads: it is in the log, and there are none.
    tokio::task::spawn_blocking(read).await.unwrap_or_default()
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
    let edit = match import {
        Ok(import) => import.edit(&context.handle).await,
        Err(why) => Err(why),
    };
    match edit {
        Ok(Ok(edit)) => done(&context.handle, edit, tag(&headers)).await,
        Ok(Err(error)) => error.into_response(),
        Err(why) => bad_body(&why),
    }
}

impl Import {
    pub(super) async fn edit(self, handle: &Handle) -> Result<Result<Edit, Error>, String> {
        let text = match (self.text, self.preset.as_deref()) {
            (Some(text), None) => text,
            (None, Some(name)) => match preset(name) {
                Some(preset) => preset.text.to_owned(),
                None => {
                    let own = saved(handle).await.into_iter().find(|(saved, _)| saved == name);
                    let Some((_, text)) = own else {
                        return Err(
                            "there is no such preset; `GET /api/v1/config/presets` lists them".to_owned()
                        );
                    };
                    text
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
