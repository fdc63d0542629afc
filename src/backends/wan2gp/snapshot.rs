//! What the server tells of a job, and what follows from it. Pure.
//!
//! Recorded from WanGP 12.60; the events are those of its `shared/api_cli.py`: started, progress, preview, status, info,
//! output, stream (a line of its console), error, completed. Unknown ones are passed over.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    backends::{Report, wan2gp::complaint},
    model::{Fault, Progress, fault::clean},
};

/// A job as `wangp_generate`, `wangp_get_job` and `wangp_cancel_job` answer it.
#[derive(Debug, Deserialize)]
pub(super) struct Snapshot {
    pub(super) job_id: String,
    pub(super) done: bool,
    #[serde(default)]
    pub(super) cancel_requested: bool,
    #[serde(default)]
    events: Vec<Event>,
    pub(super) result: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct Event {
    kind: String,
    #[serde(default)]
    timestamp: f64,
    data: Option<Box<RawValue>>,
}

/// The data of a progress or a preview. A preview says only that there is a picture; its pixels stay at the server.
#[derive(Debug, Deserialize)]
struct Step {
    #[serde(default)]
    phase: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    progress: Option<f64>,
    #[serde(default)]
    current_step: Option<u64>,
    #[serde(default)]
    total_steps: Option<u64>,
}

/// What came of a job.
#[derive(Debug, Deserialize)]
pub(super) struct Outcome {
    pub(super) success: bool,
    #[serde(default)]
    pub(super) cancelled: bool,
    #[serde(default)]
    pub(super) generated_files: Vec<String>,
    #[serde(default)]
    errors: Vec<TaskError>,
    #[serde(default)]
    pub(super) gallery_items: Vec<GalleryItem>,
}

#[derive(Debug, Deserialize)]
struct TaskError {
    #[serde(default)]
    message: String,
    #[serde(default)]
    stage: Option<String>,
}

/// A file in the server's gallery.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct GalleryItem {
    pub(super) gallery_id: String,
    #[serde(default)]
    pub(super) path: String,
}

/// How far the events of a job have been told.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    until: f64,
}

/// The end of a job.
#[derive(Debug)]
pub(super) enum End {
    Done(Outcome),
    Cancelled,
    Failed(Fault),
}

impl Snapshot {
    /// What is new since the last look.
    pub(super) fn news(&self, told: &mut Told) -> Vec<Report> {
        let mut news = Vec::new();
        for event in self.events.iter().filter(|e| e.timestamp > told.until) {
            news.extend(event.report());
        }
        let latest = self.events.iter().map(|e| e.timestamp).fold(told.until, f64::max);
        // A clock that a server lost must not silence the job.
        if latest.is_finite() {
            told.until = latest;
        }
        news
    }

    /// How far it is, in percent, by its newest event that says so.
    pub(super) fn percent(&self) -> Option<f64> {
        self.events.iter().rev().find_map(|event| event.step()?.progress)
    }

    /// How it ended; `None` while it has not, or its result is not there yet.
    pub(super) fn end(&self, place: &str) -> Option<End> {
        let raw = self.result.as_deref().filter(|_| self.done)?;
        let outcome: Outcome = match serde_json::from_str(raw.get()) {
            Ok(outcome) => outcome,
            Err(error) => {
                let message = format!("{place}: the job ended with a result that cannot be read: {error}");
                return Some(End::Failed(Fault::new(crate::model::Code::Protocol, message)));
            }
        };
        // A cancelled job of WanGP may name no error (a stub), or one of the stage `cancelled` (its own worker).
        let cancelled = outcome.cancelled || (self.cancel_requested && !outcome.success);
        Some(match (outcome.success, cancelled) {
            (true, _) => End::Done(outcome),
            (false, true) => End::Cancelled,
            (false, false) => End::Failed(outcome.fault(place)),
        })
    }
}

impl Event {
    fn step(&self) -> Option<Step> {
        if !matches!(self.kind.as_str(), "progress" | "preview") {
            return None;
        }
        serde_json::from_str(self.data.as_ref()?.get()).ok()
    }

    fn text(&self) -> Option<String> {
        let text: String = serde_json::from_str(self.data.as_ref()?.get()).ok()?;
        let text = clean(text.trim(), 300);
        (!text.is_empty()).then_some(text)
    }

    fn report(&self) -> Option<Report> {
        match self.kind.as_str() {
            "started" => Some(Report::Started),
            "progress" | "preview" => self.step().map(|step| Report::Progress(step.progress())),
            "info" => self.text().map(Report::Note),
            _ => None,
        }
    }
}

impl Step {
    fn progress(self) -> Progress {
        let said = self.status.unwrap_or_default();
        let message = match (self.current_step, self.total_steps) {
            (Some(step), Some(steps)) => format!("{said} {step}/{steps}"),
            _ => said,
        };
        Progress {
            value: self.progress.unwrap_or_default().clamp(0.0, 100.0),
            max: Some(100.0),
            node: self.phase.map(|phase| clean(&phase, 80)),
            message: Some(clean(message.trim(), 200)).filter(|m| !m.is_empty()),
            eta_s: None,
        }
    }
}

impl Outcome {
    /// What failed: the first error that is one, and all of them as the detail.
    fn fault(&self, place: &str) -> Fault {
        let real = |e: &&TaskError| !e.message.trim().is_empty();
        let first = self.errors.iter().find(real);
        let words = first.map_or("it ended without success, and says not why", |e| e.message.trim());
        let stage = first.and_then(|e| e.stage.as_deref());
        let mut detail: Vec<_> = self.errors.iter().filter(real).map(|e| e.message.clone()).collect();
        detail.extend(self.generated_files.iter().map(|file| format!("made before it failed: {file}")));
        complaint::failed(place, words, stage).with_detail(detail.join("\n"))
    }
}

#[cfg(test)]
mod tests;
