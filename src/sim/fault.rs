//! Scripted trouble, request by request.

use std::{sync::Mutex, time::Duration};

use http::StatusCode;

/// What happens to a request that a rule picks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Act {
    /// The answer comes later.
    Delay(Duration),
    /// No answer ever comes; the connection stays open.
    Hang,
    /// Answered in the app's place; the app never sees the request.
    Answer(StatusCode, String),
    /// The app acts on the request, and the connection is cut before the first byte of the answer.
    LoseAnswer,
    /// The connection is cut before the app sees the request.
    LoseRequest,
    /// The answer's body is cut after so many bytes.
    CutAfter(usize),
}

/// Picks requests by the beginning of their path and says what happens to them.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The path begins with this.
    pub path: String,
    /// How often the rule acts; `None` for always.
    pub times: Option<u32>,
    /// What happens.
    pub act: Act,
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Script(Mutex<Vec<Rule>>);

impl Script {
    pub(crate) fn add(&self, rule: Rule) {
        self.lock().push(rule);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// What happens to a request for this path; counts the rule's use.
    pub(crate) fn pick(&self, path: &str) -> Option<Act> {
        let mut rules = self.lock();
        let at = rules.iter().position(|r| path.starts_with(&r.path) && r.times != Some(0))?;
        if let Some(times) = &mut rules[at].times {
            *times -= 1;
        }
        Some(rules[at].act.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
