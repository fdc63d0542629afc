//! The events of a streamed answer of the simulated proxy.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::sim::litellm::{
    models::Conduct,
    wording::{MOCK, json},
};

/// Letters of a piece of `mock`'s answer.
pub(super) const MOCK_PIECE: usize = 3;

/// The events of one stream.
pub(super) struct Chunks {
    id: String,
    created: u64,
    model: String,
    first: &'static str,
    usage: &'static str,
}

impl Chunks {
    pub(super) fn new(model: &str, conduct: Conduct) -> Self {
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

    pub(super) fn first(&self) -> String {
        self.chunk(&format!(r#""delta":{{"role":"assistant","content":{}}}"#, json(&self.first)))
    }

    pub(super) fn piece(&self, text: &str) -> String {
        self.chunk(&format!(r#""delta":{{"content":{}}}"#, json(&text)))
    }

    pub(super) fn last(&self) -> String {
        self.chunk(r#""delta":{},"finish_reason":"stop""#)
    }

    /// An empty delta where OpenAI sends no choice at all.
    pub(super) fn usage(&self) -> String {
        let Self { id, created, model, usage, .. } = self;
        format!(
            r#"{{"id":"{id}","created":{created},"model":"{model}","object":"chat.completion.chunk","choices":[{{"index":0,"delta":{{}}}}],"usage":{usage}}}"#
        )
    }
}

/// The id of an answer: LiteLLM's own, or its upstream's.
pub(super) fn id(own: bool) -> String {
    if own { format!("chatcmpl-{}", uuid::Uuid::new_v4()) } else { "chatcmpl-stub".to_owned() }
}

/// Seconds of the clock.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
