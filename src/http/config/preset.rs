//! A preset of the user's: the configuration as it counts now, kept under a name.

use std::{io, path::PathBuf};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::{
    Context,
    answer::refusal,
    describe::{Away, Bad, Conflicting, Failing, Missing},
};
use crate::{
    Error, Handle,
    config::{erase_preset, save_preset, saved::is_own, saved_presets},
    model::{BackendId, Class, Code, Fault, IdError},
};

/// Presets that a user may have by the API. Each is a file, and all are in the answer that lists them.
const MOST: usize = 100;

/// A preset that was saved.
#[derive(Serialize, ToSchema)]
pub(super) struct SavedPreset {
    name: BackendId,
    /// Variables that it refers to in place of secrets that were written out: to be set where it is used.
    variables: Vec<String>,
}

/// Saves the configuration as it counts now as a preset, without secrets, in place of the user's own of this name.
#[utoipa::path(
    put, path = "/config/presets/{name}", params(("name" = BackendId, Path, description = "Its name, as an id")),
    responses((status = 200, body = SavedPreset), Bad, Conflicting, Failing, Away)
)]
pub(crate) async fn save(State(context): State<Context>, Path(name): Path<String>) -> Response {
    let (place, name) = match own(&context.handle, name) {
        Ok(own) => own,
        Err(unfit) => return unfit.into_response(),
    };
    let Some(loaded) = context.handle.loaded() else {
        return Error::Restarting { actor: "settings" }.into_response();
    };
    let exported = loaded.export();
    let variables = exported.variables.clone();
    let kept = name.clone();
    let written = on_disk(move || {
        let known = saved_presets(&place)?;
        let room = known.len() < MOST || known.iter().any(|known| *known == name.as_str());
        if room { save_preset(&place, name.as_str(), &exported).map(|_| Room::Had) } else { Ok(Room::None) }
    });
    match written.await {
        Ok(Room::Had) => Json(SavedPreset { name: kept, variables }).into_response(),
        Ok(Room::None) => {
            let message = format!("there are {MOST} presets already");
            refusal(StatusCode::CONFLICT, "too_many", Class::Conflict, &message, "Erase one of them.")
        }
        Err(error) => disk(&kept, &error),
    }
}

/// Erases a preset that the user saved.
#[utoipa::path(
    delete, path = "/config/presets/{name}", params(("name" = BackendId, Path, description = "Its name")),
    responses((status = 204, description = "It is gone"), Bad, Missing, Conflicting, Failing)
)]
pub(crate) async fn erase(State(context): State<Context>, Path(name): Path<String>) -> Response {
    let (place, name) = match own(&context.handle, name) {
        Ok(own) => own,
        Err(unfit) => return unfit.into_response(),
    };
    let erased = name.clone();
    match on_disk(move || erase_preset(&place, name.as_str())).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let message = format!("there is no preset `{erased}` of yours");
            let fix = "`GET /api/v1/config/presets` lists them.";
            refusal(StatusCode::NOT_FOUND, "not_found", Class::NotFound, &message, fix)
        }
        Err(error) => disk(&erased, &error),
    }
}

/// Whether one more preset may be.
enum Room {
    Had,
    None,
}

/// Where the user's presets lie, and the name of one that may be theirs.
fn own(handle: &Handle, name: String) -> Result<(PathBuf, BackendId), Unfit> {
    let name = BackendId::try_from(name).map_err(Unfit::NoName)?;
    if is_own(name.as_str()) {
        return Err(Unfit::Taken(name));
    }
    let place = handle.presets_dir().ok_or(Unfit::NoPlace)?;
    Ok((place.to_owned(), name))
}

/// Why no preset of the user's can have a name.
enum Unfit {
    NoName(IdError),
    Taken(BackendId),
    NoPlace,
}

impl IntoResponse for Unfit {
    fn into_response(self) -> Response {
        let fix = "Choose another name, like `workstation-2`.";
        match self {
            Self::NoName(error) => {
                refusal(StatusCode::BAD_REQUEST, "bad_name", Class::Usage, &error.to_string(), fix)
            }
            Self::Taken(name) => {
                let message = format!("`{name}` is a name of Backline's own");
                refusal(StatusCode::CONFLICT, "name_taken", Class::Conflict, &message, fix)
            }
            Self::NoPlace => {
                let message = "this instance has no place for presets of the user's";
                let fix = "The program that Backline is part of names one by `presets_dir`.";
                refusal(StatusCode::CONFLICT, "no_presets", Class::Conflict, message, fix)
            }
        }
    }
}

async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    // A bug of what works there is in the log already.
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn disk(name: &BackendId, error: &io::Error) -> Response {
    let message = format!("the preset `{name}` cannot be written or erased: {error}");
    Error::Fault(Fault::new(Code::Disk, message)).into_response()
}
