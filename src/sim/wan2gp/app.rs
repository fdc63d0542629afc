//! The routes of the simulated server.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, future::BoxFuture, stream};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::sim::{
    App, Body,
    server::{cut_after, plain},
    wan2gp::{
        Counts, Lost, Options,
        rpc::{self, answer, served},
        tools::{self, Tools},
    },
};

const UPLOAD: &str = "/wangp_api/gallery/upload/";
const DOWNLOAD: &str = "/wangp_api/gallery/download/";

/// One boot of the simulated server.
pub(super) struct Mcp {
    tools: Tools,
    /// A tool runs on the thread that answers: one that waits blocks all.
    thread: Mutex<()>,
    counts: Arc<Counts>,
}

impl Mcp {
    pub(super) fn new(options: Options, counts: Arc<Counts>) -> Self {
        Self { tools: Tools::new(options, counts.clone()), thread: Mutex::default(), counts }
    }

    async fn route(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        // A request that is cut in the middle never gets to a route.
        let Ok(body) = body.collect().await.map(|body| body.to_bytes()) else {
            return plain(StatusCode::BAD_REQUEST, "text/plain", "");
        };
        let _free = self.thread.lock().await;
        let path = head.uri.path();
        if let (&Method::PUT, Some(token)) = (&head.method, path.strip_prefix(UPLOAD)) {
            return self.tools.gallery.take(token, body);
        }
        if let (&Method::GET, Some(token)) = (&head.method, path.strip_prefix(DOWNLOAD)) {
            return self.tools.gallery.give(token, &head.headers);
        }
        match path {
            "/mcp" => redirected(&head),
            "/mcp/" => self.endpoint(&head, &body).await,
            _ => rpc::text(StatusCode::NOT_FOUND, "Not Found"),
        }
    }

    async fn endpoint(&self, head: &Parts, body: &Bytes) -> Response<Body> {
        let (json, events) =
            (accepts(&head.headers, "application/json"), accepts(&head.headers, "text/event-stream"));
        let refused = |code, words: &str| rpc::refused(code, -32_600, words);
        match head.method {
            Method::POST if !(json && events) => refused(
                StatusCode::NOT_ACCEPTABLE,
                "Not Acceptable: Client must accept both application/json and text/event-stream",
            ),
            Method::POST => self.post(body).await,
            Method::GET if !events => {
                refused(StatusCode::NOT_ACCEPTABLE, "Not Acceptable: Client must accept text/event-stream")
            }
            Method::GET => held(),
            Method::DELETE => refused(
                StatusCode::METHOD_NOT_ALLOWED,
                "Method Not Allowed: Session termination not supported",
            ),
            _ => refused(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
        }
    }

    async fn post(&self, body: &Bytes) -> Response<Body> {
        let asked: Value = match serde_json::from_slice(body) {
            Ok(asked) => asked,
            Err(error) => {
                let words = format!("Parse error: {error}");
                return rpc::refused(StatusCode::BAD_REQUEST, -32_700, &words);
            }
        };
        let Some(id) = asked.get("id") else { return rpc::empty(StatusCode::ACCEPTED) };
        let params = &asked["params"];
        match asked["method"].as_str().unwrap_or_default() {
            "initialize" => rpc::result(id, &greeting(params)),
            "ping" => rpc::result(id, &json!({})),
            "tools/list" => rpc::result(id, &tools::listing()),
            "tools/call" => {
                let tool = params["name"].as_str().unwrap_or_default();
                let lost = self.counts.loses(tool);
                if lost == Some(Lost::Request) {
                    return cut_after(rpc::empty(StatusCode::OK), 0);
                }
                let answer = rpc::result(id, &self.tools.call(tool, &params["arguments"]).await.result());
                if lost == Some(Lost::Answer) { cut_after(answer, 0) } else { answer }
            }
            _ => rpc::error(id, -32_602, "Invalid request parameters"),
        }
    }
}

impl App for Mcp {
    fn answer(self: Arc<Self>, request: Request<Incoming>) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move { self.route(request).await })
    }
}

fn accepts(headers: &HeaderMap, wanted: &str) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|one| one.trim().starts_with(wanted))
}

fn greeting(params: &Value) -> Value {
    json!({
        "protocolVersion": params["protocolVersion"],
        "capabilities": {
            "experimental": {}, "prompts": { "listChanged": false },
            "resources": { "subscribe": false, "listChanged": false }, "tools": { "listChanged": false },
        },
        // The version of the MCP library.
        "serverInfo": { "name": "WanGP", "version": "1.10.1" },
    })
}

fn redirected(head: &Parts) -> Response<Body> {
    let host = head.headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or("127.0.0.1");
    let mut answer = rpc::empty(StatusCode::TEMPORARY_REDIRECT);
    if let Ok(place) = HeaderValue::from_str(&format!("http://{host}/mcp/")) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    answer
}

/// The event stream: nothing ever comes on it.
fn held() -> Response<Body> {
    let never = stream::pending::<Result<Frame<Bytes>, std::io::Error>>().boxed();
    let mut answer = answer(StatusCode::OK, &Value::Null);
    *answer.body_mut() = StreamBody::new(never).boxed_unsync();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    served(answer)
}
