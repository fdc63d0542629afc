//! What the demo shows, step by step.

use serde::Serialize;

use crate::cli::print::outln;

/// The steps so far.
pub(super) struct Story {
    steps: Vec<Step>,
    json: bool,
    dashboard: String,
}

#[derive(Serialize)]
struct Step {
    name: String,
    ok: bool,
    detail: String,
}

/// The document of `demo --json`.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    steps: &'a [Step],
    ok: bool,
    dashboard: &'a str,
}

impl Story {
    pub(super) fn new(json: bool, dashboard: String) -> Self {
        Self { steps: Vec::new(), json, dashboard }
    }

    /// Adds a step, and tells it.
    pub(super) fn tell(&mut self, name: impl Into<String>, outcome: Result<String, String>) {
        let (ok, detail) = match outcome {
            Ok(detail) => (true, detail),
            Err(detail) => (false, detail),
        };
        let step = Step { name: name.into(), ok, detail };
        if !self.json {
            let mark = if ok { "ok    " } else { "FAILED" };
            outln!("{mark} {}\n         {}", step.name, step.detail);
        }
        self.steps.push(step);
    }

    /// Something to look at while a step goes on.
    pub(super) fn murmur(&self, text: &str) {
        if !self.json {
            outln!("       · {text}");
        }
    }

    pub(super) fn is_good(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|step| step.ok)
    }

    pub(super) fn document(&self) -> Document<'_> {
        Document { steps: &self.steps, ok: self.is_good(), dashboard: &self.dashboard }
    }
}
