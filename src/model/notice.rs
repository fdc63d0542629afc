//! Something that a person should know: a trouble, its remedy, and how often it was met.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{BackendId, Code};

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// Good to know; nothing is broken.
    Info,
    /// Something works less well, or may stop working.
    Warning,
    /// Something does not work.
    Error,
}

impl Severity {
    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Info, Self::Warning, Self::Error].into_iter().find(|s| s.as_str() == text).ok_or(())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` keeps the width that a table asks for.
        f.pad(self.as_str())
    }
}

/// The name of one notice: the same from its raise to its end in the history, restarts included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NoticeId(u64);

impl NoticeId {
    pub(crate) const fn new(number: u64) -> Self {
        Self(number)
    }

    #[cfg(feature = "state")]
    pub(crate) const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for NoticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{:x}", self.0)
    }
}

/// A text is no notice's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no notice's id: they look like n64c1f00a21b80")]
pub struct NoticeIdError;

impl FromStr for NoticeId {
    type Err = NoticeIdError;

    fn from_str(text: &str) -> Result<Self, NoticeIdError> {
        let digits = text.strip_prefix('n').ok_or(NoticeIdError)?;
        u64::from_str_radix(digits, 16).map(Self).map_err(|_| NoticeIdError)
    }
}

impl TryFrom<String> for NoticeId {
    type Error = NoticeIdError;

    fn try_from(text: String) -> Result<Self, NoticeIdError> {
        text.parse()
    }
}

impl From<NoticeId> for String {
    fn from(id: NoticeId) -> Self {
        id.to_string()
    }
}

/// Why an open notice is not shown unless all are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Hidden {
    /// A person has seen it; it shows again when it is raised anew after its end.
    Dismissed,
    /// Its cause at this backend is muted, for a time or for good.
    Muted,
}

/// Something that a person should know. One cause at one backend is one notice, however often it is met.
///
/// Texts are safe to show: control characters are replaced and they are cut; no secret is put in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[allow(missing_docs, reason = "the names are the contract's")]
pub struct Notice {
    pub id: NoticeId,
    pub code: Code,
    pub severity: Severity,
    /// The backend that it is about; `None`: Backline itself.
    pub backend: Option<BackendId>,
    /// What tells it from others of the same cause and backend: an address, a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    pub title: &'static str,
    pub message: String,
    pub fix: String,
    /// How often it was met.
    pub count: u64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// When it ended; `None` while it is open.
    pub cleared_at: Option<Timestamp>,
    pub detail: Option<String>,
    /// Why it is not shown at first, where it is open.
    pub hidden: Option<Hidden>,
}
