//! Which models a server has in its memory, where it tells.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use crate::{
    backends::litellm::{exchange::Key, session::Session},
    net::body::JSON_CAP,
};

/// Ollama's list of running models (documented, not run).
const PS: &str = "api/ps";

#[derive(Deserialize)]
struct Running {
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
}

impl Session {
    /// The models that an Ollama has loaded; `None` of any other server, and where it does not say. That it does not is
    /// no reason to fail a probe.
    pub(super) async fn resident(&self, limit: Duration) -> Option<Vec<String>> {
        if self.title() != Some("Ollama") {
            return None;
        }
        let answer = self.wire.get(PS, Key::With, limit, JSON_CAP).await.ok()?;
        (answer.status == StatusCode::OK).then(|| names(&answer.body))?
    }
}

fn names(body: &[u8]) -> Option<Vec<String>> {
    let running: Running = serde_json::from_slice(body).ok()?;
    Some(running.models.into_iter().map(|model| model.name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_models_are_read_and_nonsense_is_not() {
        let body = br#"{"models":[{"name":"mistral:latest","model":"mistral:latest","size":5137025024,
            "details":{"family":"llama"},"expires_at":"2024-06-04T14:38:31.83753-07:00","size_vram":5137025024}]}"#;
        assert_eq!(names(body), Some(vec!["mistral:latest".to_owned()]));
        assert_eq!(names(br#"{"models":[]}"#), Some(Vec::new()), "none is loaded");
        assert_eq!(names(b"404 page not found"), None);
    }
}
