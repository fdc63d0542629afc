//! With what a model of the simulated proxy fails before its first word.

use std::time::Duration;

use http::StatusCode;

use crate::sim::litellm::models::Conduct;

/// A failure before the first word.
pub(super) struct Failed {
    pub(super) status: StatusCode,
    /// Not to be relied on: a time-out is an `invalid_request_error`.
    pub(super) kind: &'static str,
    pub(super) param: Option<&'static str>,
    pub(super) said: String,
    /// The length of the upstream's own answer, where it gave one.
    pub(super) provided: Option<usize>,
}

impl Failed {
    /// How this model fails; `None` where it does not.
    pub(super) fn of(conduct: Conduct, streamed: bool, patience: Duration) -> Option<Self> {
        let failed = match conduct {
            Conduct::MockLimited => Self::limited("this is a mock rate limit error"),
            Conduct::Limited => {
                Self::limited("RateLimitError: OpenAIException - Rate limit reached (stub)").by(110)
            }
            Conduct::Down => Self::internal("Connection error."),
            Conduct::Broken => Self::internal("stub boom").by(59),
            Conduct::Garbage if !streamed => Self::internal(
                "Empty or invalid response from LLM endpoint. Received: '<html>no</html>'. Check the reverse proxy or model server configuration.",
            ),
            Conduct::Refusing => Self {
                param: Some("foo"),
                ..Self::invalid(
                    StatusCode::BAD_REQUEST,
                    "litellm.BadRequestError: OpenAIException - stub says bad param".to_owned(),
                )
            }
            .by(108),
            Conduct::Hang => Self::invalid(StatusCode::REQUEST_TIMEOUT, timed_out(patience, streamed)),
            _ => return None,
        };
        Some(failed)
    }

    fn limited(said: &str) -> Self {
        let said = format!("litellm.RateLimitError: {said}");
        Self { kind: "throttling_error", ..Self::invalid(StatusCode::TOO_MANY_REQUESTS, said) }
    }

    fn internal(said: &str) -> Self {
        let said = format!("litellm.InternalServerError: InternalServerError: OpenAIException - {said}");
        Self { kind: "internal_server_error", ..Self::invalid(StatusCode::INTERNAL_SERVER_ERROR, said) }
    }

    fn invalid(status: StatusCode, said: String) -> Self {
        Self { status, kind: "invalid_request_error", param: None, said, provided: None }
    }

    fn by(self, provided: usize) -> Self {
        Self { provided: Some(provided), ..self }
    }
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
