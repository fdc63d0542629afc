//! Why something failed: the cause that travels with the state.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    model::{Class, Code, code::Course},
    notices::catalogue,
};

/// Longest message that is kept; the rest of a remote text is cut.
pub const MESSAGE_CAP: usize = 512;

/// Why a session, an attempt or a request failed, in words for a person and a code for a program.
///
/// The message is safe to show: control characters, escape sequences and bidirectional overrides of a remote text
/// are replaced, and it is cut at [`MESSAGE_CAP`] characters. No secret may be put in (URLs go in without query and
/// user).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Fault {
    code: Code,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
    #[serde(skip)]
    retry_after: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Fault {
    /// A fault with the catalogue's remedy.
    pub fn new(code: Code, message: impl AsRef<str>) -> Self {
        Self {
            code,
            message: clean(message.as_ref(), MESSAGE_CAP),
            fix: None,
            retry_after: None,
            detail: None,
        }
    }

    /// Replaces the catalogue's remedy by one that knows more.
    #[must_use]
    pub fn with_fix(mut self, fix: impl AsRef<str>) -> Self {
        self.fix = Some(clean(fix.as_ref(), MESSAGE_CAP));
        self
    }

    /// Adds what the other side said, cut at 8 KiB (a list of node errors, a trace).
    #[must_use]
    pub fn with_detail(mut self, detail: impl AsRef<str>) -> Self {
        self.detail = Some(clean_lines(detail.as_ref(), 8 * 1024));
        self
    }

    /// Adds the wait that the backend asked for.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Without the wait that the backend asked for.
    #[must_use]
    pub(crate) fn without_retry_after(mut self) -> Self {
        self.retry_after = None;
        self
    }

    /// The cause's name.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The cause's class.
    pub fn class(&self) -> Class {
        self.code.class()
    }

    /// What happened, one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, one sentence.
    pub fn fix(&self) -> &str {
        self.fix.as_deref().unwrap_or_else(|| catalogue::entry(self.code).fix)
    }

    /// What the other side said, where it said more.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// The wait that the backend asked for (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the same request may succeed later without a change.
    pub fn is_retryable(&self) -> bool {
        self.code.is_retryable()
    }

    pub(crate) fn course(&self) -> Course {
        self.code.course()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}

/// Makes a remote text safe for a terminal, a log line and a page: one line, no control characters, no bidirectional
/// overrides, at most `cap` characters.
pub fn clean(text: &str, cap: usize) -> String {
    scrub(text, cap, false)
}

/// As [`clean`], but keeps line breaks.
pub fn clean_lines(text: &str, cap: usize) -> String {
    scrub(text, cap, true)
}

fn scrub(text: &str, cap: usize, keep_lines: bool) -> String {
    let mut out = String::with_capacity(text.len().min(cap));
    for (count, letter) in text.chars().enumerate() {
        if count == cap {
            out.push('…');
            break;
        }
        match letter {
            '\n' if keep_lines => out.push('\n'),
            '\n' | '\t' => out.push(' '),
            '\r' => {}
            // Bidirectional marks, embeddings, overrides and isolates can make a line read as another.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}' => {
                out.push('\u{fffd}')
            }
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_text_becomes_one_plain_line() {
        let fault =
            Fault::new(Code::BackendError, "boom\r\nINFO fake line \x1b]52;c;AAAA\x07 \u{202e}txt.exe");
        assert_eq!(fault.message(), "boom INFO fake line \u{fffd}]52;c;AAAA\u{fffd} \u{fffd}txt.exe");
    }

    #[test]
    fn a_long_text_is_cut_by_characters_not_bytes() {
        let fault = Fault::new(Code::BackendError, "é".repeat(10_000));
        assert_eq!(fault.message().chars().count(), MESSAGE_CAP + 1);
    }

    #[test]
    fn every_cause_has_a_remedy() {
        for code in Code::ALL {
            assert!(Fault::new(*code, "x").fix().len() > 10, "{code} has no remedy");
        }
    }
}
