//! The page of one cause: the same for the command line, `GET /help/CODE` and a program.

use std::fmt;

use serde::Serialize;

use crate::{
    model::{Class, Code, Kind, Severity},
    notices::catalogue,
};

/// What a person can read of a cause.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Page {
    /// The cause's name.
    pub code: Code,
    /// Its class.
    pub class: Class,
    /// How much it matters where nothing more is known.
    pub severity: Severity,
    /// The cause in a few words.
    pub title: &'static str,
    /// The likely reasons, the likeliest first.
    pub reasons: &'static [&'static str],
    /// What to do, one sentence.
    pub fix: &'static str,
    /// The same step by step; empty where the sentence says it all.
    pub steps: &'static [&'static str],
    /// What holds for one kind of backend.
    pub advice: Vec<Advice>,
}

/// What holds for one kind of backend.
#[derive(Debug, Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct Advice {
    /// Which.
    pub kind: Kind,
    /// One sentence or two.
    pub text: &'static str,
}

impl Page {
    /// The page of a cause.
    pub fn of(code: Code) -> Self {
        let entry = catalogue::entry(code);
        Self {
            code,
            class: code.class(),
            severity: entry.severity,
            title: entry.title,
            reasons: entry.reasons,
            fix: entry.fix,
            steps: entry.steps,
            advice: entry.advice.iter().map(|(kind, text)| Advice { kind: *kind, text }).collect(),
        }
    }
}

impl fmt::Display for Page {
    /// Plain text of several lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({}, {})", self.title, self.code, self.severity)?;
        writeln!(f, "\nLikely reasons:")?;
        self.reasons.iter().try_for_each(|reason| writeln!(f, "  - {reason}"))?;
        writeln!(f, "\nFix: {}", self.fix)?;
        for (at, step) in self.steps.iter().enumerate() {
            writeln!(f, "  {}. {step}", at + 1)?;
        }
        if !self.advice.is_empty() {
            writeln!(f)?;
        }
        for Advice { kind, text } in &self.advice {
            writeln!(f, "{}: {text}", kind.title())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_reasons_steps_and_what_holds_for_a_kind() {
        let text = Page::of(Code::ConnectionRefused).to_string();
        assert!(text.starts_with("Nothing is listening (connection_refused, error)\n"), "{text}");
        assert!(text.contains("\n  - The server is not running.\n") && text.contains("\n  2. Run"), "{text}");
        assert!(text.contains("\nComfyUI: "), "{text}");
    }
}
