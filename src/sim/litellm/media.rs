//! The simulated proxy's pictures and transcriptions, as its upstream makes them.

use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;

use crate::sim::{
    Body,
    form::{self, Field},
    litellm::{
        app::{Proxy, answer},
        failed::Failed,
        head::Head,
        models::conduct,
        wording::{self, of_group},
    },
};

/// The upstream's picture: one grey point.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGOoBwAAgQCA05RTSgAAAABJRU5ErkJggg==";
/// The same as bytes.
const POINT: [u8; 67] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00,
    0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xa8, 0x07, 0x00, 0x00, 0x81, 0x00, 0x80,
    0xd3, 0x94, 0x53, 0x4a, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

#[derive(Deserialize)]
struct Wish<'a> {
    model: Option<&'a str>,
    prompt: Option<&'a str>,
    n: Option<usize>,
    response_format: Option<&'a str>,
}

impl Proxy {
    /// Answers a request for pictures. A `url` leads to this server, where the real upstream's leads to the upstream.
    pub(super) async fn images(&self, headers: &HeaderMap, body: &[u8]) -> Response<Body> {
        let Ok(wish) = serde_json::from_slice::<Wish<'_>>(body) else { return super::app::bad_json() };
        if wish.prompt.is_none() {
            let message = "/image/generations: Missing required parameter: 'prompt'.";
            return refused("invalid_request_error", Some("prompt"), message);
        }
        let Some(model) = wish.model.filter(|model| conduct(model).is_some()) else {
            let message = format!("400: {{'error': '{}'}}", no_model("/image/generations", wish.model));
            return refused("invalid_request_error", None, &message);
        };
        if let Some(failed) = self.media_failure(model) {
            return failed;
        }
        let host = headers.get("host").and_then(|v| v.to_str().ok()).unwrap_or_default();
        let (b64, prompt, url) = match wish.response_format {
            Some("url") => ("null".to_owned(), "null", format!("\"http://{host}/pixel.png\"")),
            _ => (format!("\"{PIXEL}\""), "\"a dot\"", "null".to_owned()),
        };
        let one = format!(
            r#"{{"b64_json":{b64},"revised_prompt":{prompt},"url":{url},"provider_specific_fields":null}}"#
        );
        let data = vec![one; wish.n.unwrap_or(1)].join(",");
        let body = format!(
            r#"{{"created":1,"background":null,"data":[{data}],"output_format":null,"quality":null,"size":null,"usage":{{"total_tokens":7,"input_tokens":3,"input_tokens_details":{{"image_tokens":0,"text_tokens":0}},"output_tokens":4,"output_tokens_details":null}}}}"#
        );
        answer(StatusCode::OK, Head::made(model), body)
    }

    /// Answers a request for a transcription.
    pub(super) async fn transcriptions(&self, headers: &HeaderMap, body: &Bytes) -> Response<Body> {
        let fields = form::of(headers, body).unwrap_or_default();
        let Some(Field { bytes, .. }) = fields.iter().find(|field| field.name == "file") else {
            let body = r#"{"detail":[{"type":"missing","loc":["body","file"],"msg":"Field required"}]}"#;
            return answer(StatusCode::UNPROCESSABLE_ENTITY, Head::bare(), body);
        };
        let text = |name: &str| {
            let field = fields.iter().find(|field| field.name == name);
            field.map(|field| String::from_utf8_lossy(&field.bytes).into_owned())
        };
        let wanted = text("model");
        let Some(model) = wanted.as_deref().filter(|model| conduct(model).is_some()) else {
            let message = format!("{{'error': '{}'}}", no_model("/audio/transcriptions", wanted.as_deref()));
            return refused("None", Some("None"), &message);
        };
        if let Some(failed) = self.media_failure(model) {
            return failed;
        }
        let head = Head::made(model)
            .with("x-litellm-model-group", model)
            .with("x-litellm-attempted-retries", "0")
            .with("x-litellm-attempted-fallbacks", "0");
        if text("response_format").as_deref() == Some("text") {
            let head = head.with("llm_provider-content-type", "text/plain; charset=utf-8");
            let head = head.with("llm_provider-content-length", "11");
            return answer(StatusCode::OK, head, r#"{"text":"hello audio","usage":null}"#);
        }
        let language = wording::json(&text("language"));
        let heard = bytes.len();
        let body = format!(
            r#"{{"text":"hello audio of {heard} bytes","usage":{{"type":"duration","seconds":4.0}},"language":{language},"duration":null,"words":null,"segments":null}}"#
        );
        answer(StatusCode::OK, head.provided(98), body)
    }

    /// The picture behind a `url`.
    pub(super) fn picture() -> Response<Body> {
        crate::sim::server::plain(StatusCode::OK, "image/png", &POINT[..])
    }

    /// Counts what a model works on, and fails as the model fails: without the head and the wait that the chats tell.
    fn media_failure(&self, model: &str) -> Option<Response<Body>> {
        let conduct = conduct(model)?;
        if conduct.executes() {
            self.counts.begun.fetch_add(1, Relaxed);
        }
        let Some(failed) = Failed::of(conduct, false, self.options.patience) else {
            self.counts.finished.fetch_add(1, Relaxed);
            return None;
        };
        let body =
            wording::error(failed.status.as_u16(), failed.kind, failed.param, &of_group(&failed.said, model));
        Some(answer(failed.status, Head::called(), body))
    }
}

fn no_model(route: &str, named: Option<&str>) -> String {
    let named = named.unwrap_or("None");
    format!(
        "{route}: Invalid model name passed in model={named}. Call `/v1/models` to view available models for your key."
    )
}

fn refused(kind: &str, param: Option<&str>, message: &str) -> Response<Body> {
    answer(StatusCode::BAD_REQUEST, Head::called(), wording::plain_error(400, kind, param, message))
}
