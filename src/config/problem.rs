//! What is wrong with a configuration: where, what, and what to do; all of it at once.

use std::{fmt, path::PathBuf, sync::Arc};

use serde::Serialize;

use crate::model::fault::clean;

/// A place in a file: what an editor jumps to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file, as it was named.
    pub file: Arc<PathBuf>,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One thing that is wrong, or that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Problem {
    /// The path of the value, like `backends.comfyui.url`; empty where it is the file itself.
    pub path: String,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to do, one sentence.
    pub fix: String,
    /// `FILE:LINE:COLUMN`, `env:NAME` or another source, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl Problem {
    /// A problem of a value.
    pub fn new(path: impl fmt::Display, message: impl AsRef<str>, fix: impl AsRef<str>) -> Self {
        Self {
            path: clean(&path.to_string(), 200),
            message: clean(message.as_ref(), 500),
            fix: clean(fix.as_ref(), 500),
            place: None,
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.place = Some(clean(&place.to_string(), 500));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        let stop = if self.message.ends_with('?') { "" } else { "." };
        write!(f, "{}{stop} {}", self.message, self.fix)
    }
}

/// Everything that is wrong with a configuration. Never empty as an error; one line each when shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// In the order of the places, file by file; what has no line comes last.
    pub(crate) fn sorted(mut self) -> Self {
        self.0.sort_by_cached_key(|problem| {
            let mut parts = problem.place.as_deref().unwrap_or_default().rsplitn(3, ':');
            let mut number = || parts.next().and_then(|part| part.parse::<u32>().ok());
            let (column, line) = (number(), number());
            (line.is_none(), parts.next().map(str::to_owned), line, column)
        });
        self
    }

    pub(crate) fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, problem) in self.0.iter().enumerate() {
            if count > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(problem, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
