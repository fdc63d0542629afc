//! What of a job goes into its status.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::{
    jobs::machine::{self, Machine, Stage},
    model::{JobState, JobStatus, job::TimelineStep},
};

/// Notes and steps that are kept.
const TIMELINE_CAP: usize = 256;

/// Adds the step into a state. An end is told however much was told before it.
pub(super) fn enter(status: &mut JobStatus, state: JobState, evidence: String) {
    status.state = state;
    if status.timeline.len() < TIMELINE_CAP || state.is_end() {
        status.timeline.push(TimelineStep { at: Timestamp::now(), state, evidence });
    }
}

/// Adds a line to the timeline of a state that goes on.
pub(super) fn jot(status: &mut JobStatus, text: String) {
    if status.timeline.len() < TIMELINE_CAP {
        let state = status.state;
        status.timeline.push(TimelineStep { at: Timestamp::now(), state, evidence: text });
    }
}

/// What a machine knows of its job.
pub(super) fn show(status: &mut JobStatus, machine: &Machine) {
    status.attempts = machine.tally().attempts;
    if let Some(run) = machine.stage().run() {
        status.backend = Some(run.backend.clone());
        status.kind = Some(run.kind);
        status.guarantee = Some(machine::guarantee(run.abilities, machine.terms().rerun));
        status.remote_id = Some(run.named.clone().unwrap_or_else(|| run.remote.clone()));
    }
    match machine.stage() {
        Stage::Ended(end) => {
            status.error = end.fault.clone();
            status.outputs = end.outputs.clone();
            status.result = end.result.as_deref().and_then(raw);
        }
        Stage::Fetching { outputs, result, .. } => {
            status.outputs = outputs.iter().flatten().cloned().collect();
            status.result = result.as_deref().and_then(raw);
        }
        // It runs again: what it came to before does not count.
        _ => status.error = None,
    }
}

fn raw(json: &str) -> Option<Arc<RawValue>> {
    RawValue::from_string(json.to_owned()).ok().map(Arc::from)
}

/// From the first time that it was sent until its last step: what a backend takes, without the wait for one.
pub(super) fn took(status: &JobStatus) -> Option<std::time::Duration> {
    let sent = status.timeline.iter().find(|step| step.state == JobState::Sent)?;
    status.timeline.last()?.at.duration_since(sent.at).try_into().ok()
}
