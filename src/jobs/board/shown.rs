//! What of a job goes into its status.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::{
    jobs::{
        journal::Loaded,
        machine::{self, Machine, Run, Stage},
    },
    model::{JobId, JobState, JobStatus, job::TimelineStep},
};

/// Notes and steps that are kept.
const TIMELINE_CAP: usize = 256;

/// A job of which nothing is known but what it is.
pub(super) fn blank(id: JobId, target: &str, work: &'static str) -> JobStatus {
    JobStatus {
        id,
        target: target.to_owned(),
        backend: None,
        kind: None,
        work,
        state: JobState::Queued,
        guarantee: None,
        remote_id: None,
        attempts: 0,
        routed: None,
        progress: None,
        outputs: Vec::new(),
        result: None,
        error: None,
        timeline: Vec::new(),
    }
}

/// A job by what the journal has of it.
pub(crate) fn of_loaded(loaded: &Loaded) -> JobStatus {
    let work = loaded.request.as_ref().map_or("unknown", |request| request.work.name());
    let mut status = blank(loaded.id, &loaded.target, work);
    let steps = loaded.timeline.iter();
    status.timeline = steps
        .map(|(at, state, evidence)| TimelineStep { at: *at, state: *state, evidence: evidence.clone() })
        .collect();
    status.state = loaded.machine.state();
    if let Some(run) = &loaded.run {
        show_run(&mut status, run, &loaded.machine);
    }
    show(&mut status, &loaded.machine);
    if let Some(damage) = &loaded.damage {
        status.error.get_or_insert_with(|| damage.clone());
    }
    status
}

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
        show_run(status, run, machine);
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

fn show_run(status: &mut JobStatus, run: &Run, machine: &Machine) {
    status.backend = Some(run.backend.clone());
    status.kind = Some(run.kind);
    status.guarantee = Some(machine::guarantee(run.abilities, machine.terms().rerun));
    status.remote_id = Some(run.named.clone().unwrap_or_else(|| run.remote.clone()));
}

fn raw(json: &str) -> Option<Arc<RawValue>> {
    RawValue::from_string(json.to_owned()).ok().map(Arc::from)
}

/// From the first time that it was sent until its last step: what a backend takes, without the wait for one.
pub(super) fn took(status: &JobStatus) -> Option<std::time::Duration> {
    let sent = status.timeline.iter().find(|step| step.state == JobState::Sent)?;
    status.timeline.last()?.at.duration_since(sent.at).try_into().ok()
}
