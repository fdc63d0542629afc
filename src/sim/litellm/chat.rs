//! The simulated proxy's chats and embeddings.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::sim::{
    Body,
    litellm::{
        app::{Proxy, answer},
        chunks::{Chunks, MOCK_PIECE, id, now},
        failed::Failed,
        fault::{Fault, in_the_middle},
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
        let patience = self.options.patience;
        let failed = Failed::of(conduct, streamed, patience)?;
        let mut head = Head::failed(if conduct == Conduct::Hang { patience } else { LONG });
        if conduct == Conduct::Hang {
            tokio::time::sleep(patience).await;
        }
        if let Some(length) = failed.provided {
            head = head.provided(length);
        }
        if conduct == Conduct::Limited {
            head = head
                .with("llm_provider-retry-after", "7")
                .with("llm_provider-x-ratelimit-remaining-requests", "0")
                .with("x-ratelimit-remaining-requests", "0");
        }
        let body = error(failed.status.as_u16(), failed.kind, failed.param, &of_group(&failed.said, model));
        Some(answer(failed.status, head, body))
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
        let mut answer = Response::new(body(steps, self.counts.clone()));
        *answer.headers_mut() = stream_head(model, conduct).into_map();
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

fn stream_head(model: &str, conduct: Conduct) -> Head {
    let head = Head::answered(model)
        .with("cache-control", "no-cache")
        .with("x-accel-buffering", "no")
        .with("content-type", "text/event-stream; charset=utf-8");
    match conduct {
        Conduct::Mock => head,
        Conduct::Garbage => head.by_upstream(15),
        _ => head.streamed_upstream(),
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
