//! Reads a streamed chat: server-sent events in, chunks out, and whether it is complete. Pure.
//!
//! A stream is complete only with its marker: `[DONE]`, after every answer gave its reason to finish. An end without it,
//! however orderly, is a truncation: a LiteLLM 1.106.2 that is killed in the middle ends the connection like one that
//! has finished. (Where LiteLLM's own upstream ends early, LiteLLM invents a reason and the marker: that cannot be told.)
//!
//! Other servers leave one of the two out, and are believed by the other: llama.cpp before September 2024 and forks of
//! it send no marker, some gateways give no reason (both as reported by their users, not run).

use std::collections::BTreeMap;

use crate::{
    backends::litellm::{chunk::ChatChunk, complaint::Complaint, redact::Redactor, refusal},
    model::{Code, Fault},
    net::sse::SseEvent,
};

/// Cap of all events of one stream.
pub(super) const STREAM_CAP: usize = 64 * 1024 * 1024;

const MARKER: &str = "[DONE]";

/// Reads one streamed chat.
#[derive(Default)]
pub(super) struct ChatReader {
    stage: Stage,
    bytes: usize,
    /// Whether each answer that was begun gave its reason to finish.
    answers: BTreeMap<u32, Progress>,
    redactor: Redactor,
    manners: Manners,
}

/// What a server can be held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Manners {
    /// LiteLLM's: reason and marker.
    #[default]
    Both,
    /// Any other server's: one of the two.
    Either,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Open,
    Complete,
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Begun,
    Finished,
}

/// What an event means.
#[derive(Debug)]
pub(super) enum Read {
    /// Something was added.
    Chunk(Box<ChatChunk>),
    /// The answer is complete; nothing of the stream matters any more.
    Complete,
    /// Nothing that concerns us.
    Nothing,
}

/// Why a stream brings nothing more.
#[derive(Debug, Clone)]
pub(super) enum Broken {
    /// The server said so: the work failed there.
    Told(Fault),
    /// It ended, or cannot be read: what became of the work is not known.
    Cut(Fault),
}

impl ChatReader {
    pub(super) fn new(redactor: Redactor, manners: Manners) -> Self {
        Self { redactor, manners, ..Self::default() }
    }

    /// Whether the answer is complete.
    pub(super) fn is_complete(&self) -> bool {
        self.stage == Stage::Complete
    }

    /// The whole answer came at once, not as events.
    pub(super) fn complete(&mut self) {
        self.stage = Stage::Complete;
    }

    /// Takes an event.
    pub(super) fn event(&mut self, event: &SseEvent) -> Result<Read, Broken> {
        if self.stage != Stage::Open {
            return Ok(Read::Nothing);
        }
        let read = self.read(event);
        match &read {
            Ok(Read::Complete) => self.stage = Stage::Complete,
            Err(_) => self.stage = Stage::Broken,
            Ok(_) => {}
        }
        read
    }

    /// The stream ended in order, and without its marker.
    pub(super) fn end(&mut self) -> Result<(), Broken> {
        if self.manners == Manners::Either && self.is_finished() {
            self.stage = Stage::Complete;
            return Ok(());
        }
        self.stage = Stage::Broken;
        let how = match self.answers.is_empty() {
            true => "before the first word",
            false => "in the middle, without its end marker",
        };
        Err(cut(Code::Truncated, format!("the answer's stream ended {how}")))
    }

    /// Whether every answer that was begun gave its reason to finish.
    fn is_finished(&self) -> bool {
        !self.answers.is_empty() && self.answers.values().all(|p| *p == Progress::Finished)
    }

    /// Whether answers were begun, and none ever gave a reason: the server gives none.
    fn gives_no_reasons(&self) -> bool {
        !self.answers.is_empty() && self.answers.values().all(|p| *p == Progress::Begun)
    }

    fn read(&mut self, event: &SseEvent) -> Result<Read, Broken> {
        self.bytes = self.bytes.saturating_add(event.data.len());
        if self.bytes > STREAM_CAP {
            return Err(cut(Code::TooLarge, format!("the answer's stream is over {STREAM_CAP} bytes")));
        }
        match event.data.trim() {
            MARKER => self.marker(),
            "" => Ok(Read::Nothing),
            data => self.chunk(&event.event, data),
        }
    }

    fn marker(&self) -> Result<Read, Broken> {
        if self.is_finished() || (self.manners == Manners::Either && self.gives_no_reasons()) {
            return Ok(Read::Complete);
        }
        Err(cut(
            Code::Truncated,
            "the answer's stream has its end marker, but no answer was finished".to_owned(),
        ))
    }

    fn chunk(&mut self, event: &str, data: &str) -> Result<Read, Broken> {
        let chunk: ChatChunk = serde_json::from_str(data).map_err(|e| {
            cut(Code::Protocol, format!("an event of the answer's stream cannot be read: {e}"))
        })?;
        if let Some(error) = &chunk.error {
            return Err(self.told(&Complaint::of_error(error)));
        }
        // Older vLLM says it so, as a chunk of its own (as documented, not run).
        if event == "error" || (chunk.object == "error" && chunk.choices.is_empty()) {
            return Err(self.told(&Complaint::of_body(data).unwrap_or_default()));
        }
        for choice in &chunk.choices {
            let progress = self.answers.entry(choice.index).or_insert(Progress::Begun);
            if choice.finish_reason.as_ref().is_some_and(|r| !r.is_empty()) {
                *progress = Progress::Finished;
            }
        }
        Ok(Read::Chunk(Box::new(chunk)))
    }

    fn told(&self, complaint: &Complaint) -> Broken {
        Broken::Told(refusal::in_stream(complaint, &self.redactor))
    }
}

fn cut(code: Code, message: String) -> Broken {
    Broken::Cut(Fault::new(code, message))
}

#[cfg(test)]
mod tests;
