//! What is raised: a notice that has no name and no history yet.

use crate::{
    model::{
        BackendId, Code, Fault,
        fault::{MESSAGE_CAP, clean, clean_lines},
        notice::Severity,
    },
    notices::catalogue,
};

/// Longest detail that is kept, in characters.
const DETAIL_CAP: usize = 4096;
/// Longest subject that is kept, in characters.
const SUBJECT_CAP: usize = 300;

/// A notice to be raised. Its cause, backend and subject say which group it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub(super) code: Code,
    pub(super) severity: Severity,
    pub(super) backend: Option<BackendId>,
    pub(super) subject: Option<String>,
    pub(super) message: String,
    pub(super) fix: String,
    pub(super) detail: Option<String>,
    pub(super) times: u64,
}

impl Draft {
    /// A notice of a cause, with the catalogue's words.
    pub fn new(code: Code, severity: Severity) -> Self {
        let entry = catalogue::entry(code);
        Self {
            code,
            severity,
            backend: None,
            subject: None,
            message: entry.title.to_owned(),
            fix: entry.fix.to_owned(),
            detail: None,
            times: 1,
        }
    }

    /// A notice of a fault, with its words.
    pub fn of(fault: &Fault, severity: Severity) -> Self {
        let draft = Self::new(fault.code(), severity).message(fault.message()).fix(fault.fix());
        match fault.detail() {
            Some(detail) => draft.detail(detail),
            None => draft,
        }
    }

    /// What happened.
    #[cfg(feature = "cli")]
    pub(crate) fn told(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    #[cfg(feature = "cli")]
    pub(crate) fn remedy(&self) -> &str {
        &self.fix
    }

    /// The backend that it is about.
    #[must_use]
    pub fn backend(mut self, id: BackendId) -> Self {
        self.backend = Some(id);
        self
    }

    /// What tells it from others of the same cause and backend: an address, a file.
    #[must_use]
    pub fn subject(mut self, subject: impl AsRef<str>) -> Self {
        self.subject = Some(clean(subject.as_ref(), SUBJECT_CAP));
        self
    }

    /// What happened, one sentence.
    #[must_use]
    pub fn message(mut self, message: impl AsRef<str>) -> Self {
        self.message = clean(message.as_ref(), MESSAGE_CAP);
        self
    }

    /// A remedy that knows more than the catalogue's.
    #[must_use]
    pub fn fix(mut self, fix: impl AsRef<str>) -> Self {
        self.fix = clean(fix.as_ref(), MESSAGE_CAP);
        self
    }

    /// More lines: every problem of a file, a list.
    #[must_use]
    pub fn detail(mut self, detail: impl AsRef<str>) -> Self {
        self.detail = Some(clean_lines(detail.as_ref(), DETAIL_CAP));
        self
    }

    /// How often it was met since it was last raised; at least once.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = times.max(1);
        self
    }
}
