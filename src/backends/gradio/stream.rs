//! The stream of one call's messages.

use std::{collections::VecDeque, time::Duration};

use crate::{
    model::{Code, Fault},
    net::{
        blame,
        sse::{EVENT_CAP, SseDecoder, SseEvent},
    },
};

/// The stream of one call's messages.
pub(super) struct EventStream {
    answer: reqwest::Response,
    decoder: SseDecoder,
    ready: VecDeque<SseEvent>,
}

impl EventStream {
    pub(super) fn new(answer: reqwest::Response) -> Self {
        Self { answer, decoder: SseDecoder::new(EVENT_CAP), ready: VecDeque::new() }
    }

    /// The next message; `None` at the end of the stream. Safe to drop and call again.
    ///
    /// # Errors
    /// The line was cut, nothing came for `idle`, or a message is over the cap.
    pub(super) async fn next(&mut self, idle: Duration) -> Result<Option<String>, Fault> {
        Ok(self.next_event(idle).await?.map(|event| event.data))
    }

    /// As [`Self::next`], with the name of the event.
    pub(super) async fn next_event(&mut self, idle: Duration) -> Result<Option<SseEvent>, Fault> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let chunk = tokio::time::timeout(idle, self.answer.chunk()).await;
            let chunk = chunk.map_err(|_| {
                Fault::new(Code::Hang, format!("the app's stream brought nothing for {idle:?}"))
            })?;
            let Some(chunk) = chunk.map_err(|e| blame::request(&e))? else { return Ok(None) };
            self.decoder.feed(&chunk);
            let large = |e: crate::net::sse::EventTooLarge| Fault::new(Code::TooLarge, e.to_string());
            while let Some(event) = self.decoder.next_event().map_err(large)? {
                self.ready.push_back(event);
            }
        }
    }
}
