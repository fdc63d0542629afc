//! What is to be said of a backend's version: at the first look at it, and then no more.

use crate::{
    model::{BackendStatus, Code, Kind},
    notices::{draft::Draft, version},
};

/// The version at the last look, and what was said of it.
#[derive(Debug, Default)]
pub(super) struct Aged {
    seen: Option<(Kind, Box<str>)>,
    codes: Vec<Code>,
}

impl Aged {
    /// What is to be said, where the version is another than at the last look.
    pub(super) fn look(&mut self, status: &BackendStatus) -> Vec<Draft> {
        let now = status.version.as_deref().map(|version| (status.kind, version));
        if self.seen.as_ref().map(|(kind, version)| (*kind, &**version)) == now {
            return Vec::new();
        }
        let drafts =
            now.map(|(kind, version)| [version::vulnerable(kind, version), version::old(kind, version)]);
        let drafts: Vec<_> = drafts.into_iter().flatten().flatten().collect();
        self.codes = drafts.iter().map(|draft| draft.code).collect();
        self.seen = now.map(|(kind, version)| (kind, version.into()));
        drafts
    }

    /// The causes that hold as long as the version stays.
    pub(super) fn codes(&self) -> impl Iterator<Item = Code> {
        self.codes.iter().copied()
    }
}
