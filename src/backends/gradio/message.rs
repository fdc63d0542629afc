//! What the stream of a session says, typed. Read from 4.44.1, 5.29.0 and 6.31.0.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::model::{Code, Fault, Progress};

/// One record of `queue/data`. Flat, since an internally tagged enum cannot hold raw JSON; fields that a kind of
/// message lacks stay empty.
#[derive(Debug, Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    msg: Cow<'a, str>,
    #[serde(default)]
    event_id: Option<String>,
    #[serde(default)]
    rank: Option<u64>,
    #[serde(default)]
    progress_data: Option<Vec<Unit>>,
    #[serde(default, borrow)]
    output: Option<&'a RawValue>,
    #[serde(default)]
    success: Option<bool>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    session_not_found: bool,
    #[serde(default)]
    log: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Unit {
    #[serde(default)]
    index: Option<f64>,
    #[serde(default)]
    length: Option<f64>,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    progress: Option<f64>,
    #[serde(default)]
    desc: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Output<'a> {
    #[serde(default, borrow)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<Value>,
}

/// What one message says.
#[derive(Debug)]
pub enum Said {
    /// It waits; so many are before it.
    Waiting(Option<u64>),
    /// It runs.
    Started,
    /// How far it is.
    Progress(Progress),
    /// A generator yielded: whole values first, differences later.
    Generating(Vec<Value>),
    /// It is over.
    Completed(Ending),
    /// A line of `gr.Info` or `gr.Warning`.
    Log(String),
    /// The stream lives.
    Heartbeat,
    /// The session has no open event, and the stream ends.
    Closed,
    /// The server does not know the session: it never was, or its stream was lost.
    NoSession,
    /// The server gives up on the stream.
    Broken(String),
    /// A kind of message that is not known here.
    Unknown,
}

/// How a call ended.
#[derive(Debug)]
pub enum Ending {
    /// With values.
    Done(Box<RawValue>),
    /// Cancelled: a success without values.
    Cancelled,
    /// With an error.
    Failed(Fault),
}

/// A message and the call that it is about.
#[derive(Debug)]
pub struct Message {
    /// The call; `None` where it is about the stream.
    pub event: Option<String>,
    /// What it says.
    pub said: Said,
}

impl Message {
    /// Reads one record.
    ///
    /// # Errors
    /// It is no JSON of the known form.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        let record: Record<'_> = serde_json::from_str(text)?;
        let said = match &*record.msg {
            "estimation" => Said::Waiting(record.rank),
            "process_starts" => Said::Started,
            "progress" => progress(record.progress_data.unwrap_or_default()),
            "process_generating" | "process_streaming" if record.success != Some(false) => {
                generating(record.output)?
            }
            "process_completed" => Said::Completed(ending(record.output, record.success == Some(true))),
            "log" => record.log.map_or(Said::Unknown, Said::Log),
            "heartbeat" => Said::Heartbeat,
            "close_stream" => Said::Closed,
            "unexpected_error" => {
                let message = record.message.unwrap_or_default();
                // 4.44.1 and 5.29.0 say `404: Session not found.`, 6.31.0 says `404: Not Found` and sets a flag.
                match record.session_not_found || message.starts_with("404") {
                    true => Said::NoSession,
                    false => Said::Broken(message),
                }
            }
            _ => Said::Unknown,
        };
        Ok(Self { event: record.event_id, said })
    }
}

fn progress(units: Vec<Unit>) -> Said {
    let Some(unit) = units.into_iter().next() else { return Said::Unknown };
    let (value, max) = match (unit.index, unit.length, unit.progress) {
        (_, _, Some(part)) => (part, Some(1.0)),
        (index, length, None) => (index.unwrap_or(0.0), length),
    };
    Said::Progress(Progress { value, max, node: unit.unit, message: unit.desc, eta_s: None })
}

fn generating(output: Option<&RawValue>) -> Result<Said, serde_json::Error> {
    #[derive(Deserialize)]
    struct Yield {
        #[serde(default)]
        data: Vec<Value>,
    }
    let Some(output) = output else { return Ok(Said::Unknown) };
    let Yield { data } = serde_json::from_str(output.get())?;
    Ok(Said::Generating(data))
}

fn ending(output: Option<&RawValue>, success: bool) -> Ending {
    let output: Output<'_> = output.and_then(|o| serde_json::from_str(o.get()).ok()).unwrap_or_default();
    match (success, output.data, output.error) {
        (true, Some(data), _) => Ending::Done(data.to_owned()),
        (true, None, None) => Ending::Cancelled,
        (_, _, error) => Ending::Failed(failure(error)),
    }
}

/// The fault behind an error of a call.
pub(super) fn failure(error: Option<Value>) -> Fault {
    let text = match error {
        Some(Value::String(text)) if !text.is_empty() => text,
        Some(Value::Null) | None => {
            return Fault::new(Code::ExecutionFailed, "the app failed and hides its error")
                .with_fix("Look at the app's own log, or start it with `launch(show_error=True)`.");
        }
        Some(other) => other.to_string(),
    };
    let low = text.to_ascii_lowercase();
    let code = match low.contains("out of memory") || low.contains("outofmemory") {
        true => Code::OutOfMemory,
        false => Code::ExecutionFailed,
    };
    Fault::new(code, &text).with_detail(&text)
}

#[cfg(test)]
mod tests;
