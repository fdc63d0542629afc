//! Between jobs and rows. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Entry, Loaded, Request, Span, Step, listing, table};
use crate::{
    jobs::machine::{Event, Machine, Terms},
    model::{Code, Fault, JobId, JobState},
};

/// What makes two requests the same: the target, the work, and how often it may run.
#[derive(Serialize)]
struct Hashed<'a> {
    target: &'a str,
    request: serde_json::Value,
    terms: &'a Terms,
}

/// The row of a job to be accepted.
pub(super) fn row(entry: &Entry) -> Result<table::Row, Fault> {
    let bad = |e: serde_json::Error| Fault::new(Code::BadRequest, format!("the work cannot be kept: {e}"));
    let request = serde_json::to_string(&entry.request).map_err(bad)?;
    // Spaces and the order of fields do not make another request.
    let plain = serde_json::from_str(&request).map_err(bad)?;
    let hashed = Hashed { target: &entry.target, request: plain, terms: &entry.terms };
    let hash = Sha256::digest(serde_json::to_vec(&hashed).map_err(bad)?).to_vec();
    Ok(table::Row {
        id: entry.id.to_string(),
        key: entry.key.clone(),
        target: entry.target.clone(),
        request,
        hash,
        terms: serde_json::to_string(&entry.terms).map_err(bad)?,
        at_ms: entry.at.as_millisecond(),
        inputs: entry.inputs.clone(),
    })
}

pub(super) fn step_row(step: &Step) -> table::StepRow {
    table::StepRow {
        seq: step.seq,
        at_ms: step.at.as_millisecond(),
        age_ms: i64::try_from(step.age.as_millis()).unwrap_or(i64::MAX),
        kind: step.event.name().to_owned(),
        evidence: step.evidence.clone(),
        event: serde_json::to_string(&step.event).expect("an event is plain data with text keys"),
        end: step.state.is_end().then(|| step.state.as_str()),
        reopens: matches!(step.event, Event::Retry),
        keep_request: step.keep_request,
        output: match &step.event {
            Event::Fetched { index, output } => Some((*index, output.clone())),
            _ => None,
        },
    }
}

pub(super) fn part(span: &Span) -> listing::Part {
    let all = span.states.is_empty();
    let ends = span.states.iter().filter(|state| state.is_end());
    let ends: String = ends.map(|state| format!(",{state},")).collect();
    let only_open = ends.is_empty() && !all;
    listing::Part {
        before: span.before,
        // Nothing is between two commas.
        ends: if only_open { ",,".to_owned() } else { ends },
        open: all || span.states.iter().any(|state| !state.is_end()),
        limit: i64::try_from(span.limit).unwrap_or(i64::MAX),
    }
}

/// A job out of its rows. A step that cannot be read ends the reading there, and is named.
pub(super) fn loaded((row, steps): (table::JobRow, Vec<table::StepRow>)) -> Option<Loaded> {
    let Ok(id) = id(&row.id) else {
        tracing::error!(number = row.number, "a job with an unreadable id is left alone");
        return None;
    };
    let mut damage = None;
    let mut broken = |what: &str, e: serde_json::Error| {
        let text = format!("its record in the state database is damaged: {what}: {e}");
        damage.get_or_insert(Fault::new(Code::Internal, text));
    };
    let terms: Terms = serde_json::from_str(&row.terms).unwrap_or_else(|e| {
        broken("terms", e);
        Terms::default()
    });
    let request: Option<Request> = row
        .request
        .as_deref()
        .and_then(|text| serde_json::from_str(text).map_err(|e| broken("request", e)).ok());
    let accepted_at = timestamp(row.accepted_ms);
    let mut machine = Machine::accepted(terms);
    let mut timeline = vec![(accepted_at, machine.state(), "accepted, on disk".to_owned())];
    let (mut last_seq, mut age, mut run) = (0, Duration::ZERO, None);
    for step in steps {
        let event: Event = match serde_json::from_str(&step.event) {
            Ok(event) => event,
            Err(e) => {
                broken(&step.kind, e);
                last_seq = last_seq.max(step.seq);
                break;
            }
        };
        age = Duration::from_millis(u64::try_from(step.age_ms).unwrap_or(0));
        machine = machine.step(event, age).0;
        run = machine.stage().run().cloned().or(run);
        timeline.push((timestamp(step.at_ms), machine.state(), step.evidence));
        last_seq = step.seq;
    }
    if let Some(verdict) = row.state.as_deref().and_then(state)
        && !machine.stage().is_end()
    {
        // Its steps were not kept, or cannot be read: it has ended all the same, and never runs again by itself.
        machine = machine.judged(verdict);
        timeline.push((timestamp(row.accepted_ms), verdict, "what led to its end is not kept".to_owned()));
    }
    let target = row.target;
    Some(Loaded {
        number: row.number,
        id,
        target,
        request,
        accepted_at,
        machine,
        run,
        timeline,
        last_seq,
        age,
        damage,
    })
}

pub(super) fn id(text: &str) -> Result<JobId, Fault> {
    text.parse()
        .map_err(|_| Fault::new(Code::Internal, format!("`{text}` in the state database is no job's id")))
}

pub(super) fn state(text: &str) -> Option<JobState> {
    JobState::ALL.into_iter().find(|state| state.as_str() == text)
}

fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}
