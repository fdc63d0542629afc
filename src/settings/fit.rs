//! Whether an edit makes sense as things stand. Pure.

use std::sync::Arc;

use crate::{
    error::Error,
    model::BackendId,
    settings::{Edit, layers::Layers, standing::Settings},
};

/// The edit, where it makes sense as things stand.
pub(crate) fn fitting(edit: Edit, now: &Settings) -> Result<Edit, Error> {
    if let (Edit::Write(fields), Layers::Given(given)) = (&edit, &now.layers) {
        let at = |path: &str, id: &BackendId| {
            path.strip_prefix("backends.")
                .is_some_and(|p| crate::config::layer::is_at_or_below(p, id.as_str()))
        };
        if let Some(id) = given.backends.keys().find(|id| fields.paths().any(|path| at(path, id))) {
            return Err(Error::Fixed { id: id.clone() });
        }
    }
    let Some(id) = edit.backend().cloned() else { return Ok(edit) };
    if let Layers::Given(given) = &now.layers
        && given.backends.contains_key(&id)
    {
        return Err(Error::Fixed { id });
    }
    let exists = now.config.backends.contains_key(&id);
    let edited = || {
        let group = format!("backends.{id}");
        let at = |path: &str| crate::config::layer::is_at_or_below(path, &group);
        now.edits.paths().any(at) || now.edits.removed().any(at)
    };
    match edit {
        Edit::Add(..) if exists => Err(Error::Exists { id }),
        Edit::Change(..) | Edit::Remove(_) if !exists => Err(unknown(&id, now)),
        Edit::Revert(_) if !exists && !edited() => Err(unknown(&id, now)),
        // Where nothing below brings it in, nothing has to be masked.
        Edit::Remove(id) if !stands_below(&id, now) => Ok(Edit::Revert(id)),
        edit => Ok(edit),
    }
}

fn stands_below(id: &BackendId, now: &Settings) -> bool {
    let in_file = |loaded: &Arc<crate::config::Loaded>| {
        loaded.file.names_in("backends").any(|(name, _)| name == id.as_str())
    };
    now.loaded.as_ref().is_some_and(in_file) || now.book.adopted().any(|known| known.id == *id)
}

pub(crate) fn unknown(id: &BackendId, now: &Settings) -> Error {
    let known: Vec<_> = now.config.backends.keys().map(BackendId::as_str).collect();
    Error::UnknownBackend { id: id.to_string(), known: known.join(", ") }
}
