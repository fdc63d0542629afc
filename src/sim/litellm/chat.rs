//! The simulated proxy's chats and embeddings.

use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::sim::{
    Body,
    litellm::{
        app::{Proxy, answer},
        head::{Head, VERSION},
        models::{Conduct, conduct},
        script::{Step, body},
        wording::{MOCK, error, in_stream, json, of_group},
    },
};

/// LiteLLM's time-out of a model that configures none.
const LONG: Duration = Duration::from_secs(6000);
/// Pieces that a stream brings before it fails in the middle.
const BEFORE_FAULT: usize = 2;
/// Letters of a piece of `mock`'s answer.
const MOCK_PIECE: usize = 3;

/// What is read of a request.
#[derive(Deserialize)]
pub(super) struct Ask<'a> {
    model: Option<String>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

impl Proxy {
    pub(super) async fn chat(&self, ask: Ask<'_>) -> Response<Body> {
        let Some(messages) = ask.messages else {
            let message = "/chat/completions: Missing required parameter: 'messages'.";
            return refusal(Head::refused(), Some("messages"), message);
        };
        let (model, conduct) = match known(&ask, "/chat/completions") {
            Ok(known) => known,
            Err(message) => return refusal(Head::refused(), None, &message),
        };
        if !messages.get().starts_with('[') {
            let said = "Invalid request format: litellm.APIConnectionError: APIConnectionError: OpenAIException - 'str' object has no attribute 'get'";
            return refusal(Head::failed(LONG), None, &of_group(said, &model));
        }
        if conduct.executes() {
            self.counts.begun.fetch_add(1, Relaxed);
        }
        let streamed = ask.stream == Some(true);
        if let Some(failed) = self.failure(&model, conduct, streamed).await {
            return failed;
        }
        if !streamed {
            self.counts.finished.fetch_add(1, Relaxed);
            return whole(&model, conduct);
        }
        self.stream(&model, conduct, ask.stream_options.is_some_and(|o| o.include_usage))
    }

    pub(super) fn embeddings(&self, ask: &Ask<'_>) -> Response<Body> {
        let (model, _) = match known(ask, "/embeddings") {
            Ok(known) => known,
            // Here, and not at the chats, the version is told.
            Err(message) => {
                return refusal(Head::refused().with("x-litellm-version", VERSION), None, &message);
            }
        };
        self.counts.begun.fetch_add(1, Relaxed);
        self.counts.finished.fetch_add(1, Relaxed);
        let body = format!(
            r#"{{"model":"{model}","data":[{{"embedding":[0.1,0.2,0.3],"index":0,"object":"embedding"}}],"object":"list","usage":{{"completion_tokens":0,"prompt_tokens":3,"total_tokens":3,"completion_tokens_details":null,"prompt_tokens_details":null}}}}"#
        );
        answer(StatusCode::OK, Head::answered(&model).by_upstream(163), body)
    }

    /// The error with which a model answers before its first word.
    async fn failure(&self, model: &str, conduct: Conduct, streamed: bool) -> Option<Response<Body>> {
        let internal = |said: &str| {
            let said = format!("litellm.InternalServerError: InternalServerError: OpenAIException - {said}");
            (500, "internal_server_error", None, said)
        };
        let mut timeout = LONG;
        let mut provided = None;
        let (status, kind, param, said) = match conduct {
            Conduct::MockLimited => (
                429,
                "throttling_error",
                None,
                "litellm.RateLimitError: this is a mock rate limit error".to_owned(),
            ),
            Conduct::Down => internal("Connection error."),
            Conduct::Limited => {
                provided = Some(110);
                let said =
                    "litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit reached (stub)";
                (429, "throttling_error", None, said.to_owned())
            }
            Conduct::Broken => {
                provided = Some(59);
                internal("stub boom")
            }
            Conduct::Refusing => {
                provided = Some(108);
                let said = "litellm.BadRequestError: OpenAIException - stub says bad param";
                (400, "invalid_request_error", Some("foo"), said.to_owned())
            }
            Conduct::Garbage if !streamed => internal(
                "Empty or invalid response from LLM endpoint. Received: '<html>no</html>'. Check the reverse proxy or model server configuration.",
            ),
            Conduct::Hang => {
                tokio::time::sleep(self.options.patience).await;
                timeout = self.options.patience;
                (408, "invalid_request_error", None, timed_out(timeout, streamed))
            }
            _ => return None,
        };
        let mut head = Head::failed(timeout);
        if let Some(length) = provided {
            head = head.provided(length);
        }
        if conduct == Conduct::Limited {
            head = head
                .with("llm_provider-retry-after", "7")
                .with("llm_provider-x-ratelimit-remaining-requests", "0")
                .with("x-ratelimit-remaining-requests", "0");
        }
        let status = StatusCode::from_u16(status).expect("one of the above");
        Some(answer(status, head, error(status.as_u16(), kind, param, &of_group(&said, model))))
    }

    fn stream(&self, model: &str, conduct: Conduct, usage: bool) -> Response<Body> {
        let chunks = Chunks::new(model, conduct);
        let mut steps = Vec::new();
        // A web page in place of a stream becomes an empty answer with an invented end.
        if conduct != Conduct::Garbage {
            steps.push(Step::Event(chunks.first()));
        }
        let fault = in_the_middle(conduct);
        let pieces = self.pieces(conduct);
        let told = if fault == Fault::None { pieces.len() } else { BEFORE_FAULT };
        for piece in pieces.iter().take(told) {
            steps.push(Step::Event(chunks.piece(piece)));
            steps.push(Step::Wait(self.options.pace));
        }
        match fault {
            Fault::None | Fault::Ends => {
                steps.push(Step::Event(chunks.last()));
                if usage {
                    steps.push(Step::Event(chunks.usage()));
                }
                steps.push(Step::Event("[DONE]".to_owned()));
            }
            Fault::Breaks(said) => steps.push(Step::Event(in_stream(said))),
            Fault::Silent(said) => {
                steps.push(Step::Wait(self.options.patience));
                steps.push(Step::Event(in_stream(said)));
            }
        }
        let mut head = Head::answered(model)
            .with("cache-control", "no-cache")
            .with("x-accel-buffering", "no")
            .with("content-type", "text/event-stream; charset=utf-8");
        head = match conduct {
            Conduct::Mock => head,
            Conduct::Garbage => head.by_upstream(15),
            _ => head.streamed_upstream(),
        };
        let mut answer = Response::new(body(steps, self.counts.clone()));
        *answer.headers_mut() = head.into_map();
        answer
    }

    /// What a model says after its first event.
    fn pieces(&self, conduct: Conduct) -> Vec<String> {
        if conduct == Conduct::Garbage {
            return Vec::new();
        }
        if conduct != Conduct::Mock {
            return (0..self.options.pieces.max(BEFORE_FAULT)).map(|n| format!("tok{n} ")).collect();
        }
        let letters: Vec<char> = MOCK.chars().collect();
        letters.chunks(MOCK_PIECE).skip(1).map(|piece| piece.iter().collect()).collect()
    }
}

/// How an upstream's stream fails in the middle.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// In order, without an end: LiteLLM invents one.
    Ends,
    Breaks(&'static str),
    Silent(&'static str),
}

fn in_the_middle(conduct: Conduct) -> Fault {
    match conduct {
        Conduct::MidClose => Fault::Ends,
        Conduct::MidCut => Fault::Breaks(
            "Response payload is not completed: <TransferEncodingError: 400, message='Not enough data to satisfy transfer length header.'>",
        ),
        Conduct::MidErr => Fault::Breaks("stub mid-stream failure"),
        Conduct::MidHang => Fault::Silent("Timeout on reading data from socket"),
        _ => Fault::None,
    }
}

/// The events of one stream.
struct Chunks {
    id: String,
    created: u64,
    model: String,
    first: &'static str,
    usage: &'static str,
}

impl Chunks {
    fn new(model: &str, conduct: Conduct) -> Self {
        let mock = conduct == Conduct::Mock;
        Self {
            id: id(mock || conduct == Conduct::Garbage),
            created: now(),
            model: model.to_owned(),
            first: if mock { &MOCK[..MOCK_PIECE] } else { "" },
            usage: if mock {
                r#"{"completion_tokens":19,"prompt_tokens":8,"total_tokens":27,"completion_tokens_details":{"reasoning_tokens":0,"text_tokens":19}}"#
            } else {
                r#"{"completion_tokens":4,"prompt_tokens":5,"total_tokens":9,"completion_tokens_details":{"reasoning_tokens":0,"text_tokens":4}}"#
            },
        }
    }

    fn chunk(&self, choice: &str) -> String {
        let Self { id, created, model, .. } = self;
        format!(
            r#"{{"id":"{id}","object":"chat.completion.chunk","created":{created},"model":"{model}","choices":[{{"index":0,{choice}}}]}}"#
        )
    }

    fn first(&self) -> String {
        self.chunk(&format!(r#""delta":{{"role":"assistant","content":{}}}"#, json(&self.first)))
    }

    fn piece(&self, text: &str) -> String {
        self.chunk(&format!(r#""delta":{{"content":{}}}"#, json(&text)))
    }

    fn last(&self) -> String {
        self.chunk(r#""delta":{},"finish_reason":"stop""#)
    }

    /// An empty delta where OpenAI sends no choice at all.
    fn usage(&self) -> String {
        let Self { id, created, model, usage, .. } = self;
        format!(
            r#"{{"id":"{id}","created":{created},"model":"{model}","object":"chat.completion.chunk","choices":[{{"index":0,"delta":{{}}}}],"usage":{usage}}}"#
        )
    }
}

fn whole(model: &str, conduct: Conduct) -> Response<Body> {
    if conduct == Conduct::Mock {
        let body = format!(
            r#"{{"id":"{}","created":{},"model":"{model}","object":"chat.completion","choices":[{{"finish_reason":"stop","index":0,"message":{{"content":{},"role":"assistant"}}}}],"usage":{{"completion_tokens":20,"prompt_tokens":10,"total_tokens":30}}}}"#,
            id(true),
            now(),
            json(&MOCK)
        );
        return answer(StatusCode::OK, Head::answered(model), body);
    }
    let body = format!(
        r#"{{"id":"chatcmpl-stub","created":1,"model":"{model}","object":"chat.completion","choices":[{{"finish_reason":"stop","index":0,"message":{{"content":"hello from stub","role":"assistant","provider_specific_fields":{{"refusal":null}}}},"provider_specific_fields":{{}}}}],"usage":{{"completion_tokens":4,"prompt_tokens":5,"total_tokens":9}}}}"#
    );
    answer(StatusCode::OK, Head::answered(model).by_upstream(273), body)
}

/// The model that is asked and what it does, or the complaint that there is none.
fn known(ask: &Ask<'_>, route: &str) -> Result<(String, Conduct), String> {
    let named = ask.model.as_deref();
    named.and_then(|name| Some((name.to_owned(), conduct(name)?))).ok_or_else(|| {
        let named = named.unwrap_or("None");
        format!(
            "{route}: Invalid model name passed in model={named}. Call `/v1/models` to view available models for your key."
        )
    })
}

fn refusal(head: Head, param: Option<&str>, message: &str) -> Response<Body> {
    answer(StatusCode::BAD_REQUEST, head, error(400, "invalid_request_error", param, message))
}

fn timed_out(patience: Duration, streamed: bool) -> String {
    let seconds = patience.as_secs_f64();
    let value = if streamed {
        String::new()
    } else {
        format!(" - timeout value={seconds:?}, time taken={:.2} seconds", seconds + 0.02)
    };
    format!(
        "litellm.Timeout: APITimeoutError - Request timed out. Error_str: Request timed out.{value}\n\nDeployment Info: request_timeout: None\ntimeout: {seconds:?}"
    )
}

fn id(own: bool) -> String {
    if own { format!("chatcmpl-{}", uuid::Uuid::new_v4()) } else { "chatcmpl-stub".to_owned() }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
