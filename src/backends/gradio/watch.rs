//! One call under watch: from the messages of its stream to reports, and to its end. Pure.

use serde_json::Value;

use crate::{
    backends::{
        Report,
        gradio::{
            diff,
            message::{Ending, Message, Said},
        },
    },
    model::{Code, Fault},
};

/// One call under watch.
#[derive(Debug, Default)]
pub struct Watch {
    event: Option<String>,
    outputs: Outputs,
    /// Messages that are not known here, or could not be read.
    strange: u64,
}

/// What a generator has yielded so far.
#[derive(Debug, Default)]
enum Outputs {
    #[default]
    None,
    Known(Vec<Value>),
    /// A difference did not fit; the end brings whole values.
    Lost,
}

/// What a message changes.
#[derive(Debug)]
pub enum Step {
    /// Nothing that anybody needs to know.
    Nothing,
    /// Something to report.
    Report(Report),
    /// The call is over.
    Ended(Ending),
    /// The server does not know the session.
    NoSession,
    /// The stream ended without the end of the call.
    Broken(Fault),
}

impl Watch {
    /// A watch over a call; its event's id where that is known.
    pub fn new(event: Option<String>) -> Self {
        Self { event, ..Self::default() }
    }

    /// The event's id, once known.
    pub fn event(&self) -> Option<&str> {
        self.event.as_deref()
    }

    /// Messages so far that are not known here, or could not be read.
    pub fn strange(&self) -> u64 {
        self.strange
    }

    /// Takes one record of the stream.
    pub fn take(&mut self, text: &str) -> Step {
        let Ok(message) = Message::read(text) else {
            self.strange += 1;
            return Step::Nothing;
        };
        match (&self.event, message.event) {
            (Some(ours), Some(theirs)) if *ours != theirs => return Step::Nothing,
            (None, Some(theirs)) => self.event = Some(theirs),
            _ => {}
        }
        match message.said {
            Said::Waiting(position) => Step::Report(Report::Waiting { position }),
            Said::Started => Step::Report(Report::Started),
            Said::Progress(progress) => Step::Report(Report::Progress(progress)),
            Said::Generating(data) => self.generating(data),
            Said::Log(line) => Step::Report(Report::Note(line)),
            Said::Completed(ending) => Step::Ended(ending),
            Said::Heartbeat => Step::Nothing,
            Said::NoSession => Step::NoSession,
            Said::Broken(message) => Step::Broken(Fault::new(
                Code::ConnectionClosed,
                format!("the app gave up on the stream: {message}"),
            )),
            Said::Closed => Step::Broken(Fault::new(
                Code::Truncated,
                "the app closed the stream without the end of the call",
            )),
            Said::Unknown => {
                self.strange += 1;
                Step::Nothing
            }
        }
    }

    fn generating(&mut self, data: Vec<Value>) -> Step {
        self.outputs = match std::mem::take(&mut self.outputs) {
            Outputs::None => Outputs::Known(data),
            Outputs::Known(values) => changed(values, &data),
            Outputs::Lost => Outputs::Lost,
        };
        match &self.outputs {
            Outputs::Known(values) => match serde_json::to_string(values) {
                Ok(text) => Step::Report(Report::Partial(text)),
                Err(_) => Step::Nothing,
            },
            _ => Step::Nothing,
        }
    }
}

fn changed(mut values: Vec<Value>, edits: &[Value]) -> Outputs {
    if values.len() != edits.len() {
        return Outputs::Lost;
    }
    let fits = values.iter_mut().zip(edits).all(|(value, edits)| diff::apply(value, edits).is_ok());
    if fits { Outputs::Known(values) } else { Outputs::Lost }
}

#[cfg(test)]
mod tests;
