//! Server-sent events, decoded with caps.
//!
//! A line and an event have a limit each, so an endless line costs memory up to the cap and no more. Pure: bytes in,
//! events out.

use bytes::{Buf, BytesMut};

/// Default cap of one event.
pub const EVENT_CAP: usize = 16 * 1024 * 1024;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SseEvent {
    /// The `event:` field; empty where there is none.
    pub event: String,
    /// The `data:` lines, joined by line feeds.
    pub data: String,
}

/// An event is over the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is over {cap} bytes")]
pub struct EventTooLarge {
    cap: usize,
}

/// Cuts a stream of bytes into events.
#[derive(Debug)]
pub struct SseDecoder {
    pending: BytesMut,
    /// How far `pending` has been searched for a line's end, so that a dribbled line is not searched again and again.
    searched: usize,
    current: SseEvent,
    has_data: bool,
    cap: usize,
    at_start: bool,
}

impl SseDecoder {
    /// A decoder whose events have at most `cap` bytes.
    pub fn new(cap: usize) -> Self {
        Self {
            pending: BytesMut::new(),
            searched: 0,
            current: SseEvent::default(),
            has_data: false,
            cap,
            at_start: true,
        }
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The next whole event, or `None` until more bytes are fed.
    ///
    /// # Errors
    /// An event or a line over the cap; the stream cannot be used any further.
    pub fn next_event(&mut self) -> Result<Option<SseEvent>, EventTooLarge> {
        while let Some(line) = self.next_line()? {
            if line.is_empty() {
                let event = std::mem::take(&mut self.current);
                if std::mem::take(&mut self.has_data) {
                    return Ok(Some(event));
                }
                continue;
            }
            self.take_field(&line)?;
        }
        Ok(None)
    }

    fn next_line(&mut self) -> Result<Option<String>, EventTooLarge> {
        let found = self.pending[self.searched..].iter().position(|b| *b == b'\n' || *b == b'\r');
        let Some(end) = found.map(|at| at + self.searched) else {
            self.searched = self.pending.len();
            return if self.pending.len() > self.cap {
                Err(EventTooLarge { cap: self.cap })
            } else {
                Ok(None)
            };
        };
        let after = match self.pending.get(end + 1) {
            // Whether a lone CR is followed by a LF is known with the next byte only.
            None if self.pending[end] == b'\r' => {
                self.searched = end;
                return Ok(None);
            }
            Some(b'\n') if self.pending[end] == b'\r' => end + 2,
            _ => end + 1,
        };
        let line = String::from_utf8_lossy(&self.pending[..end]).into_owned();
        self.pending.advance(after);
        self.searched = 0;
        let first = std::mem::take(&mut self.at_start);
        Ok(Some(if first { line.trim_start_matches('\u{feff}').to_owned() } else { line }))
    }

    fn take_field(&mut self, line: &str) -> Result<(), EventTooLarge> {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut self.current.event),
            "data" => {
                if self.current.data.len() + value.len() > self.cap {
                    return Err(EventTooLarge { cap: self.cap });
                }
                if self.has_data {
                    self.current.data.push('\n');
                }
                self.has_data = true;
                self.current.data.push_str(value);
            }
            // Comments (an empty name), `id`, `retry` and unknown fields say nothing to us.
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(chunks: &[&[u8]]) -> Vec<SseEvent> {
        let mut decoder = SseDecoder::new(1024);
        let mut events = Vec::new();
        for chunk in chunks {
            decoder.feed(chunk);
            while let Some(event) = decoder.next_event().unwrap() {
                events.push(event);
            }
        }
        events
    }

    #[test]
    fn reads_what_the_backends_send() {
        let events = decode(&[b"data: {\"msg\":\"estimation\"}\n\n: ping\n\nevent: complete\r\ndata: [1]\r\n\r\ndata: [DONE]\n\n"]);
        let data: Vec<_> = events.iter().map(|e| (e.event.as_str(), e.data.as_str())).collect();
        assert_eq!(data, [("", "{\"msg\":\"estimation\"}"), ("complete", "[1]"), ("", "[DONE]")]);
    }

    #[test]
    fn an_endless_line_ends_at_the_cap() {
        let mut decoder = SseDecoder::new(100);
        decoder.feed(b"data: ");
        let mut fed = 0;
        loop {
            decoder.feed(&[b'x'; 10]);
            fed += 10;
            match decoder.next_event() {
                Ok(event) => assert!(event.is_none() && fed <= 110, "an endless line passed the cap"),
                Err(error) => break assert_eq!(error, EventTooLarge { cap: 100 }),
            }
        }
    }

    proptest! {
        #[test]
        fn cutting_the_stream_anywhere_changes_nothing(cuts in prop::collection::vec(0usize..60, 0..6)) {
            let stream: &[u8] = b"data: a\r\ndata: b\n\nevent: x\rdata: c\r\r\n:k\n\ndata:\xC3\xA9\n\n";
            let whole = decode(&[stream]);
            let mut cuts: Vec<_> = cuts.into_iter().map(|c| c.min(stream.len())).collect();
            cuts.sort_unstable();
            let mut from = 0;
            let mut parts = Vec::new();
            for cut in cuts {
                parts.push(&stream[from..cut]);
                from = cut;
            }
            parts.push(&stream[from..]);
            prop_assert_eq!(decode(&parts), whole);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut decoder = SseDecoder::new(64);
            decoder.feed(&bytes);
            while let Ok(Some(_)) = decoder.next_event() {}
        }
    }
}
