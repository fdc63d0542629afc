//! What makes notices one, and what hides them.

use jiff::Timestamp;

use crate::{
    model::{BackendId, Code, notice::Notice},
    notices::draft::Draft,
};

/// What makes notices one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    pub(crate) backend: Option<BackendId>,
    pub(crate) code: Code,
    pub(crate) subject: Option<String>,
}

/// How long a group is muted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mute {
    /// Until this time by the wall clock.
    Until(Timestamp),
    /// Until it is taken off.
    ForGood,
}

impl Mute {
    pub(crate) fn holds(self, now: Timestamp) -> bool {
        match self {
            Self::Until(end) => now < end,
            Self::ForGood => true,
        }
    }
}

impl Group {
    pub(crate) fn of(notice: &Notice) -> Self {
        Self { backend: notice.backend.clone(), code: notice.code, subject: notice.subject.clone() }
    }
}

impl Draft {
    pub(super) fn group(&self) -> Group {
        Group { backend: self.backend.clone(), code: self.code, subject: self.subject.clone() }
    }
}
