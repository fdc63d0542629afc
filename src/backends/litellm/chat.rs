//! A streamed chat under way: the bytes of its stream, read with deadlines and caps.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::{
    backends::{
        litellm::{
            account::Tab,
            answer::is_type,
            chunk::ChatChunk,
            complaint::Complaint,
            completion::ChatCompletion,
            failure::{Failure, Fate},
            redact::Redactor,
            refusal,
            stream::{Broken, ChatReader, Manners, Read},
        },
        tie::{Flight, Tie},
    },
    model::{Code, Fault},
    net::{
        blame,
        body::JSON_CAP,
        sse::{EVENT_CAP, SseDecoder},
    },
};

/// A streamed chat under way. Dropping it ends the stream; LiteLLM then ends its upstream's, too.
pub struct ChatStream {
    source: Source,
    decoder: SseDecoder,
    reader: ChatReader,
    line: Line,
}

/// What a stream takes along of its session.
pub(super) struct Line {
    /// Longest silence.
    pub(super) idle: Duration,
    pub(super) tie: Tie,
    pub(super) redactor: Redactor,
    /// What its server can be held to.
    pub(super) manners: Manners,
    /// What it uses.
    pub(super) tab: Tab,
    /// Counts the stream as under way until it is dropped.
    #[expect(dead_code, reason = "held for its drop")]
    pub(super) flight: Flight,
}

enum Source {
    /// The stream; the answer is boxed, for the whole enum's size.
    Open(Box<reqwest::Response>),
    /// A server that does not stream: its whole answer, to be given as one chunk, and what is here of it.
    Whole(Box<reqwest::Response>, BytesMut),
    Over,
}

impl ChatStream {
    pub(super) fn new(answer: reqwest::Response, line: Line) -> Result<Self, Failure> {
        let source = if is_type(answer.headers(), "text/event-stream") {
            Source::Open(Box::new(answer))
        } else if is_type(answer.headers(), "application/json") {
            Source::Whole(Box::new(answer), BytesMut::new())
        } else {
            let fault = Fault::new(Code::Protocol, "the answer to a chat is neither a stream nor JSON");
            return Err(unknown(fault));
        };
        let reader = ChatReader::new(line.redactor.clone(), line.manners);
        Ok(Self { source, decoder: SseDecoder::new(EVENT_CAP), reader, line })
    }

    /// The next chunk; `None` once the answer is complete. A stream that ends in any other way ends in an error, so what
    /// came before `None` is the whole answer.
    ///
    /// # Errors
    /// [`Code::Truncated`] where the stream ended before its end, the server's own fault where it broke the answer
    /// off, [`Code::RequestTimeout`] past `timeouts.idle_stream` of silence, the session's end.
    ///
    /// # Cancel safety
    /// Safe: no chunk is lost.
    pub async fn next(&mut self) -> Option<Result<ChatChunk, Fault>> {
        self.step().await.map(|step| step.map_err(|failure| failure.fault))
    }

    /// As a stream.
    pub fn into_stream(self) -> impl futures_util::Stream<Item = Result<ChatChunk, Fault>> + Send {
        futures_util::stream::unfold(self, |mut chat| async move { Some((chat.next().await?, chat)) })
    }

    pub(super) async fn step(&mut self) -> Option<Result<ChatChunk, Failure>> {
        let step = match self.source {
            Source::Open(_) => self.event().await,
            Source::Whole(..) => self.whole().await,
            Source::Over => return None,
        };
        if !matches!(step, Ok(Some(_))) {
            self.source = Source::Over;
        }
        if let Ok(Some(ChatChunk { usage: Some(usage), .. })) = &step {
            self.line.tab.note(usage);
        }
        step.inspect_err(|failure| self.line.tie.suspect(&failure.fault)).transpose()
    }

    async fn event(&mut self) -> Result<Option<ChatChunk>, Failure> {
        loop {
            let event =
                self.decoder.next_event().map_err(|e| unknown(Fault::new(Code::TooLarge, e.to_string())))?;
            let Some(event) = event else {
                if self.reader.is_complete() {
                    return Ok(None);
                }
                self.more().await?;
                continue;
            };
            match self.reader.event(&event).map_err(Failure::from)? {
                Read::Chunk(chunk) => return Ok(Some(*chunk)),
                Read::Complete => return Ok(None),
                Read::Nothing => {}
            }
        }
    }

    async fn whole(&mut self) -> Result<Option<ChatChunk>, Failure> {
        // The second call, after the one chunk was given.
        if self.reader.is_complete() {
            return Ok(None);
        }
        while let Some(bytes) = self.bytes().await? {
            let Source::Whole(_, whole) = &mut self.source else { unreachable!("read as a whole answer") };
            if whole.len() + bytes.len() > JSON_CAP {
                return Err(unknown(Fault::new(
                    Code::TooLarge,
                    format!("the answer is over {JSON_CAP} bytes"),
                )));
            }
            whole.extend_from_slice(&bytes);
        }
        let Source::Whole(_, whole) = &self.source else { unreachable!("read as a whole answer") };
        let whole = completion(whole, &self.line.redactor)?;
        self.reader.complete();
        Ok(Some(ChatChunk::from(whole)))
    }

    /// Reads more of the stream. Comments that keep the line alive count as life.
    async fn more(&mut self) -> Result<(), Failure> {
        match self.bytes().await? {
            Some(bytes) => {
                self.decoder.feed(&bytes);
                Ok(())
            }
            None => self.reader.end().map_err(Failure::from),
        }
    }

    /// The next bytes of the answer; `None` at its orderly end.
    async fn bytes(&mut self) -> Result<Option<Bytes>, Failure> {
        let (Source::Open(answer) | Source::Whole(answer, _)) = &mut self.source else { return Ok(None) };
        let idle = self.line.idle;
        let silent =
            || Fault::new(Code::RequestTimeout, format!("the answer's stream was silent for {idle:?}"));
        let bytes = tokio::select! {
            biased;
            () = self.line.tie.over() => return Err(unknown(self.line.tie.why())),
            bytes = tokio::time::timeout(idle, answer.chunk()) => bytes.map_err(|_| unknown(silent()))?,
        };
        // The line broke: the same to the caller as an end without the marker, and the cause is kept.
        bytes.map_err(|error| {
            let fault = blame::request(&error);
            unknown(Fault::new(Code::Truncated, format!("the answer stopped in the middle ({fault})")))
        })
    }
}

/// Reads a whole completion. One without a single answer is none; some servers put an error there with status 200.
pub(super) fn completion(bytes: &[u8], redactor: &Redactor) -> Result<ChatCompletion, Failure> {
    let protocol =
        |why: &str| unknown(Fault::new(Code::Protocol, format!("the answer to a chat is none: {why}")));
    let whole: ChatCompletion = serde_json::from_slice(bytes).map_err(|e| protocol(&e.to_string()))?;
    match whole.extra.get("error").filter(|e| e.get() != "null") {
        Some(error) => {
            let fault = refusal::in_stream(&Complaint::of_error(error), redactor);
            Err(Failure::new(Fate::Ran, fault))
        }
        None if whole.choices.is_empty() => Err(protocol("it has no `choices`")),
        None => Ok(whole),
    }
}

fn unknown(fault: Fault) -> Failure {
    Failure::new(Fate::Unknown, fault)
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Told(fault) => Self::new(Fate::Ran, fault),
            Broken::Cut(fault) => Self::new(Fate::Unknown, fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, (Fate, Fault)> {
        let whole = completion(text.as_bytes(), &Redactor::default());
        whole.map(|c| c.text().to_owned()).map_err(|failure| (failure.fate, failure.fault))
    }

    /// Shapes of other servers, from their documentation and the reports of their users; none of them was run.
    #[test]
    fn whole_answers_of_other_servers_are_read_or_told() {
        let odd = r#"{"choices":[{"message":{"role":"assistant","content":null,"reasoning_content":"I think","tool_calls":null},
                     "finish_reason":null,"stop_reason":128009}],"usage":null,"created":1.5,"timings":{},"prompt_logprobs":null}"#;
        assert_eq!(read(odd).unwrap(), "");
        assert_eq!(read(r#"{"choices":[{"message":{"content":"hi"}}]}"#).unwrap(), "hi", "no id, no usage");
        // LM Studio 0.3.14 says so with status 200.
        let (_, fault) =
            read(r#"{"error":"Unexpected endpoint or method. (POST /chat/completions)"}"#).unwrap_err();
        assert!(fault.message().contains("Unexpected endpoint"), "{fault}");
        for none in ["{}", "[]", "null", r#"{"choices":null}"#, r#"{"choices":[]}"#, "<html>"] {
            let (fate, fault) = read(none).unwrap_err();
            assert_eq!((fate, fault.code()), (Fate::Unknown, Code::Protocol), "{none}");
        }
    }
}
