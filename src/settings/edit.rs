//! One change that somebody makes through the API. Pure: what it does to the edits, no more.

use std::fmt;

use crate::{config::Edits, error::Error, model::BackendId};

/// Fields of a backend by their paths below it, as plain text (`url`, `probe.interval`, `headers.x-tenant`; a list
/// with commas). `None` takes an edit of that field back: what it masked counts again. `Debug` shows paths only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Fields(Vec<(String, Option<String>)>);

impl Fields {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field.
    #[must_use]
    pub fn set(mut self, path: impl Into<String>, text: impl Into<String>) -> Self {
        self.0.push((path.into(), Some(text.into())));
        self
    }

    /// Takes an edit of a field back.
    #[must_use]
    pub fn revert(mut self, path: impl Into<String>) -> Self {
        self.0.push((path.into(), None));
        self
    }

    /// Sets a field, or takes an edit of it back.
    pub fn put(&mut self, path: String, text: Option<String>) {
        self.0.push((path, text));
    }

    /// The paths with their texts.
    #[cfg(feature = "dashboard")]
    pub(crate) fn into_texts(self) -> impl Iterator<Item = (String, Option<String>)> {
        self.0.into_iter()
    }

    /// The paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(path, _)| path.as_str())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(path, _)| path)).finish()
    }
}

/// One change that somebody makes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// A new backend.
    Add(BackendId, Fields),
    /// Other values for some fields of one.
    Change(BackendId, Fields),
    /// It is taken out, whichever layer brought it in.
    Remove(BackendId),
    /// Everything that was edited about it is taken back, its removal too.
    Revert(BackendId),
    /// Values by their whole paths (`log.files`, `pools.image.members`), whatever they are about.
    Write(Fields),
    /// All edits at once.
    Replace(Edits),
    /// The last edit is taken back.
    Undo,
}

/// The edits before each of the last changes, the latest last.
#[derive(Debug, Clone, Copy)]
pub struct Past<'p>(pub &'p [Edits]);

impl Edit {
    /// The backend that it is about; `None` where it is about all.
    pub fn backend(&self) -> Option<&BackendId> {
        match self {
            Self::Add(id, _) | Self::Change(id, _) | Self::Remove(id) | Self::Revert(id) => Some(id),
            Self::Write(_) | Self::Replace(_) | Self::Undo => None,
        }
    }

    /// The edits after it.
    ///
    /// # Errors
    /// [`Error::NothingToUndo`].
    pub fn over(self, edits: &Edits, past: &Past<'_>) -> Result<Edits, Error> {
        let mut edits = edits.clone();
        match self {
            Self::Add(id, fields) => {
                // What was edited about a former backend of this name is not about this one, nor is what a layer
                // below says of one that was taken out.
                let group = group(&id);
                edits.remove(&group);
                write(&mut edits, &group, fields);
            }
            Self::Change(id, fields) => write(&mut edits, &group(&id), fields),
            Self::Remove(id) => edits.remove(group(&id)),
            Self::Revert(id) => edits.revert(&group(&id)),
            Self::Write(fields) => {
                for (path, text) in fields.0 {
                    put(&mut edits, path, text);
                }
            }
            Self::Replace(all) => return Ok(all),
            Self::Undo => return past.0.last().cloned().ok_or(Error::NothingToUndo),
        }
        Ok(edits)
    }
}

fn write(edits: &mut Edits, group: &str, Fields(fields): Fields) {
    for (path, text) in fields {
        put(edits, format!("{group}.{path}"), text);
    }
}

fn put(edits: &mut Edits, path: String, text: Option<String>) {
    match text {
        Some(text) => edits.write(path, text),
        None => edits.revert(&path),
    }
}

fn group(id: &BackendId) -> String {
    format!("backends.{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> BackendId {
        text.parse().unwrap()
    }

    #[test]
    fn a_change_is_taken_back_value_by_value_or_as_a_whole() {
        let change = Edit::Change(id("a"), Fields::new().set("url", "http://x").set("required", "true"));
        let edits = change.over(&Edits::default(), &Past(&[])).unwrap();
        assert_eq!(edits.paths().collect::<Vec<_>>(), ["backends.a.url", "backends.a.required"]);
        let one = Edit::Change(id("a"), Fields::new().revert("url")).over(&edits, &Past(&[])).unwrap();
        assert_eq!(one.paths().collect::<Vec<_>>(), ["backends.a.required"]);
        assert!(Edit::Revert(id("a")).over(&one, &Past(&[])).unwrap().is_empty());
        let gone = Edit::Remove(id("a")).over(&edits, &Past(&[])).unwrap();
        assert!(!gone.is_empty() && gone.paths().next().is_none());
        assert!(Edit::Revert(id("a")).over(&gone, &Past(&[])).unwrap().is_empty());
    }

    #[test]
    fn a_backend_that_is_added_again_keeps_nothing_of_the_former() {
        let first = Edit::Add(id("a"), Fields::new().set("api_key", "secret"))
            .over(&Edits::default(), &Past(&[]))
            .unwrap();
        let again =
            Edit::Add(id("a"), Fields::new().set("url", "http://x")).over(&first, &Past(&[])).unwrap();
        assert_eq!(again.paths().collect::<Vec<_>>(), ["backends.a.url"]);
        assert!(!format!("{first:?}").contains("secret"));
    }
}
