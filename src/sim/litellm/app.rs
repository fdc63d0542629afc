//! The routes of the simulated proxy, and who may use them.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::sim::{
    App, Body,
    litellm::{Counts, Options, chat::Ask, head::Head, wording},
    server::plain,
};

/// One boot of the simulated proxy.
pub(super) struct Proxy {
    pub(super) options: Options,
    pub(super) counts: Arc<Counts>,
}

impl Proxy {
    pub(super) fn new(options: Options, counts: Arc<Counts>) -> Self {
        Self { options, counts }
    }

    async fn route(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        // A request that is cut in the middle never gets to a route.
        let Ok(body) = body.collect().await.map(|b| b.to_bytes()) else {
            return plain(StatusCode::BAD_REQUEST, "text/plain", "");
        };
        match (head.method, path.as_str()) {
            (Method::GET, "/health/liveliness" | "/health/liveness") => ok("\"I'm alive!\""),
            (Method::GET, "/health/readiness") => ok(r#"{"status":"healthy","db":"Not connected"}"#),
            (Method::GET, "/") => page(),
            (Method::GET, "/pixel.png") => Self::picture(),
            (method, path) if guarded(path) => {
                let Some(post) = post(path) else {
                    return self.open(&head.headers, || self.listing(path));
                };
                if method != Method::POST {
                    let head = Head::bare().with("allow", "POST");
                    return answer(
                        StatusCode::METHOD_NOT_ALLOWED,
                        head,
                        r#"{"detail":"Method Not Allowed"}"#,
                    );
                }
                match self.refuse(&head.headers) {
                    Some(refused) => refused,
                    None => self.work(post, &head.headers, &body).await,
                }
            }
            _ => answer(StatusCode::NOT_FOUND, Head::bare(), r#"{"detail":"Not Found"}"#),
        }
    }

    fn open(&self, headers: &HeaderMap, route: impl FnOnce() -> Response<Body>) -> Response<Body> {
        self.refuse(headers).unwrap_or_else(route)
    }

    fn listing(&self, path: &str) -> Response<Body> {
        match path {
            "/v1/models" | "/models" => ok(wording::models()),
            "/health/readiness/details" => ok(wording::readiness()),
            _ => ok(wording::details()),
        }
    }

    /// Without a key a bare 500, since the database's module is missing; with a wrong one a 400, since there is none.
    fn refuse(&self, headers: &HeaderMap) -> Option<Response<Body>> {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let given =
            text("authorization").map(|v| v.strip_prefix("Bearer ").unwrap_or(v)).or(text("x-api-key"));
        match given {
            Some(key) if key == self.options.key => None,
            Some(_) => {
                let body = wording::error(400, "no_db_connection", None, "No connected db.");
                Some(answer(StatusCode::BAD_REQUEST, Head::bare(), body))
            }
            None => Some(plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "text/plain; charset=utf-8",
                "Internal Server Error",
            )),
        }
    }

    async fn work(&self, post: Post, headers: &HeaderMap, body: &Bytes) -> Response<Body> {
        match post {
            Post::Images => return self.images(headers, body).await,
            Post::Transcriptions => return self.transcriptions(headers, body).await,
            Post::Chat | Post::Embeddings => {}
        }
        // No body is an object without fields.
        let body = if body.is_empty() { b"{}" } else { &body[..] };
        let Ok(ask) = serde_json::from_slice::<Ask<'_>>(body) else { return bad_json() };
        match post {
            Post::Chat => self.chat(ask).await,
            _ => self.embeddings(&ask),
        }
    }
}

impl App for Proxy {
    fn answer(self: Arc<Self>, request: Request<Incoming>) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move { self.route(request).await })
    }
}

/// A route that takes work.
enum Post {
    Chat,
    Embeddings,
    Images,
    Transcriptions,
}

fn post(path: &str) -> Option<Post> {
    match path {
        "/v1/chat/completions" | "/chat/completions" => Some(Post::Chat),
        "/v1/embeddings" | "/embeddings" => Some(Post::Embeddings),
        "/v1/images/generations" | "/images/generations" => Some(Post::Images),
        "/v1/audio/transcriptions" | "/audio/transcriptions" => Some(Post::Transcriptions),
        _ => None,
    }
}

fn guarded(path: &str) -> bool {
    let listings = ["/v1/models", "/models", "/model/info", "/v1/model/info", "/health/readiness/details"];
    listings.contains(&path) || post(path).is_some()
}

pub(super) fn bad_json() -> Response<Body> {
    let message =
        "Invalid JSON payload: unexpected character, expected a string key: line 1 column 2 (char 1)";
    let body = wording::error(400, "invalid_request_error", Some("request_body"), message);
    answer(StatusCode::BAD_REQUEST, Head::bare(), body)
}

fn page() -> Response<Body> {
    let mut page = plain(
        StatusCode::OK,
        "text/html; charset=utf-8",
        "<!DOCTYPE html><html><head><title>LiteLLM API - Swagger UI</title></head><body></body></html>",
    );
    page.headers_mut().extend(Head::bare().into_map());
    page
}

fn ok(body: impl Into<Bytes>) -> Response<Body> {
    answer(StatusCode::OK, Head::bare(), body)
}

/// An answer in JSON.
pub(super) fn answer(status: StatusCode, head: Head, body: impl Into<Bytes>) -> Response<Body> {
    let mut answer = plain(status, "application/json", body);
    let json = answer.headers_mut().remove(header::CONTENT_TYPE).expect("just set");
    answer.headers_mut().extend(head.into_map());
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}
