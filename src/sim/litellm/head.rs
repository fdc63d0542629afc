//! The headers of the simulated proxy's answers, as LiteLLM 1.106.2 sends them.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

pub(super) const VERSION: &str = "1.106.2";

/// Headers under way.
pub(super) struct Head(HeaderMap);

impl Head {
    /// What every JSON answer has.
    pub(super) fn bare() -> Self {
        Self(HeaderMap::new())
            .with("vary", "Origin")
            .with("x-frame-options", "DENY")
            .with("content-security-policy", "frame-ancestors 'none'")
            .with("x-content-type-options", "nosniff")
    }

    /// A request of the model routes that LiteLLM refused itself.
    pub(super) fn refused() -> Self {
        Self::bare()
            .with("x-litellm-call-id", &uuid::Uuid::new_v4().to_string())
            .with("x-litellm-response-cost", "0")
            .with("x-litellm-key-spend", "0.0")
    }

    /// What the routes for pictures and sound tell of a request that failed.
    pub(super) fn called() -> Self {
        Self::bare().with("x-litellm-call-id", &uuid::Uuid::new_v4().to_string())
    }

    /// What they tell of one that did not.
    pub(super) fn made(model: &str) -> Self {
        Self::called()
            .with("x-litellm-model-id", &super::wording::model_id(model))
            .with("x-litellm-model-api-base", "http://127.0.0.1:9100/v1")
            .with("x-litellm-version", VERSION)
            .with("x-litellm-key-spend", "0.0")
            .with("x-litellm-response-duration-ms", "42.29021072387695")
            .with("x-litellm-callback-duration-ms", "0.0")
    }

    /// A request that went to a model and failed.
    pub(super) fn failed(timeout: Duration) -> Self {
        Self::refused().with("x-litellm-timeout", &format!("{:?}", timeout.as_secs_f64()))
    }

    /// An answer of a model.
    pub(super) fn answered(model: &str) -> Self {
        let mut head = Self::bare()
            .with("x-litellm-call-id", &uuid::Uuid::new_v4().to_string())
            .with("x-litellm-model-id", &super::wording::model_id(model))
            .with("x-litellm-model-name", &format!("openai/{model}"))
            .with("x-litellm-model-api-base", "http://127.0.0.1:9100/v1")
            .with("x-litellm-version", VERSION)
            .with("x-litellm-key-spend", "0.0")
            .with("x-litellm-response-duration-ms", "57.81292915344238")
            .with("x-litellm-callback-duration-ms", "0.0")
            .with("x-litellm-model-group", model)
            .with("x-litellm-attempted-retries", "0")
            .with("x-litellm-attempted-fallbacks", "0");
        for cost in [
            "original",
            "discount-amount",
            "margin-amount",
            "margin-percent",
            "input",
            "output",
            "tool-usage",
        ] {
            head = head.with(&format!("x-litellm-response-cost-{cost}"), "0.0");
        }
        head
    }

    /// An answer that an upstream sent whole, of this length.
    pub(super) fn by_upstream(self, length: usize) -> Self {
        self.provided(length).with("x-litellm-overhead-duration-ms", "50.1311")
    }

    /// The upstream's own headers of a whole body.
    pub(super) fn provided(self, length: usize) -> Self {
        self.with("llm_provider-content-type", "application/json")
            .with("llm_provider-content-length", &length.to_string())
    }

    /// A stream that an upstream began.
    pub(super) fn streamed_upstream(self) -> Self {
        self.with("llm_provider-content-type", "text/event-stream")
            .with("llm_provider-transfer-encoding", "chunked")
            .with("x-litellm-overhead-duration-ms", "70.776")
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        let name = name.parse::<HeaderName>().expect("a header's name");
        self.0.insert(name, HeaderValue::from_str(value).expect("a header's value"));
        self
    }

    pub(super) fn into_map(self) -> HeaderMap {
        self.0
    }
}
