//! Which path answers what.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::sim::{
    Body,
    gradio::{
        Program, Version, answer,
        engine::{Call, Engine, Refused},
        functions::offers,
        pages, streams,
    },
};

/// Largest body that is taken.
const BODY_CAP: usize = 256 * 1024 * 1024;

/// The body of a join.
#[derive(Deserialize)]
struct Join {
    data: Vec<Value>,
    #[serde(default)]
    fn_index: Option<u64>,
    #[serde(default)]
    session_hash: Option<String>,
}

#[derive(Deserialize)]
struct Cancel {
    session_hash: String,
    fn_index: usize,
    event_id: String,
}

/// One request, read whole.
struct Ask {
    head: Parts,
    body: Bytes,
}

/// Answers one request.
pub(super) async fn answer(
    engine: Arc<Engine>,
    program: Arc<Program>,
    request: Request<Incoming>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_CAP).collect().await else {
        return answer::refused(StatusCode::BAD_REQUEST, &json!("There was an error parsing the body"));
    };
    let ask = Ask { head, body: body.to_bytes() };
    let path = ask.head.uri.path().to_owned();
    let get = ask.head.method != Method::POST;
    match path.trim_end_matches('/') {
        "" => answer::page(),
        "/login" if !get => program.door.login(&ask.body),
        "/config" if !program.door.admits(&ask.head.headers) => program.door.refusal(),
        "/config" => {
            let host = host(&ask.head.headers);
            answer::ok(&pages::config(engine.version, engine.options.flavour, engine.app_id, &host))
        }
        _ => match path.strip_prefix(engine.version.prefix()) {
            Some(route) => api(&engine, &program, &ask, route.trim_start_matches('/')),
            None => answer::nowhere(),
        },
    }
}

fn api(engine: &Arc<Engine>, program: &Program, ask: &Ask, route: &str) -> Response<Body> {
    let post = ask.head.method == Method::POST;
    // These are open without a log-in.
    match route {
        "app_id" => return answer::ok(&json!({"app_id": engine.app_id})),
        "startup-events" => return answer::ok(&json!(false)),
        "cancel" if post => return cancel(engine, &ask.body),
        _ if route.starts_with("heartbeat/") => {
            let session = route.trim_start_matches("heartbeat/");
            return answer::events(streams::heartbeat(engine.clone(), session));
        }
        _ => {}
    }
    let known = matches!(route, "info" | "queue/join" | "queue/data" | "queue/status" | "upload")
        || route.starts_with("file=")
        || route.starts_with("call/");
    if !known {
        return answer::nowhere();
    }
    if !program.door.admits(&ask.head.headers) {
        return program.door.refusal();
    }
    match (route, post) {
        ("info", false) => answer::ok(&pages::info(engine.version, engine.options.flavour)),
        ("queue/join", true) => join(engine, ask),
        ("queue/data", false) => watch(engine, ask),
        ("queue/status", false) => answer::ok(&engine.status()),
        ("upload", true) => engine.disk.upload(&ask.head.headers, &ask.body),
        _ if route.starts_with("file=") => file(engine, ask, route),
        _ if route.starts_with("call/") => simple(engine, ask, route.trim_start_matches("call/")),
        _ => answer::refused(StatusCode::METHOD_NOT_ALLOWED, &json!("Method Not Allowed")),
    }
}

fn join(engine: &Arc<Engine>, ask: &Ask) -> Response<Body> {
    let Ok(body) = serde_json::from_slice::<Value>(&ask.body) else {
        let detail = json!([{"type": "json_invalid", "loc": ["body", 1], "msg": "JSON decode error", "input": {},
            "ctx": {"error": "Expecting property name enclosed in double quotes"}}]);
        return answer::refused(StatusCode::UNPROCESSABLE_ENTITY, &detail);
    };
    let Ok(join) = Join::deserialize(&body) else { return answer::missing_field(["body", "data"]) };
    let Some(session) = join.session_hash else {
        return answer::refused(StatusCode::BAD_REQUEST, &json!("Session hash not found."));
    };
    let function = join.fn_index.unwrap_or(u64::MAX);
    let offers = offers(engine.options.flavour);
    let offer = usize::try_from(function).ok().and_then(|at| offers.get(at)).unwrap_or(&offers[0]);
    let event = uuid::Uuid::new_v4().simple().to_string();
    let call = Call { event, session, offer, data: join.data, host: host(&ask.head.headers) };
    taken(engine, function, call)
}

fn taken(engine: &Arc<Engine>, function: u64, call: Call) -> Response<Body> {
    match engine.join(function, call) {
        Ok(event) => answer::ok(&json!({"event_id": event})),
        Err(Refused::Full(size)) => {
            let most = engine.options.queue;
            let detail = json!(format!("Queue is full. Max size is {most} and size is {size}."));
            answer::refused(StatusCode::SERVICE_UNAVAILABLE, &detail)
        }
        Err(Refused::NoFunction) => answer::crashed(),
    }
}

/// The simple API. An event is its own session.
fn simple(engine: &Arc<Engine>, ask: &Ask, route: &str) -> Response<Body> {
    let (name, event) = route.split_once('/').unwrap_or((route, ""));
    if ask.head.method != Method::POST {
        return answer::events(streams::simple(engine.clone(), event.to_owned()));
    }
    let offers = offers(engine.options.flavour);
    let Some(function) = offers.iter().position(|offer| offer.name == Some(name)) else {
        return answer::crashed();
    };
    let body: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
    let mut given = body["data"].as_array().cloned().unwrap_or_default();
    let inputs = offers[function].inputs;
    // 6.31.0 puts the states in where they are left out.
    let lacking = engine.version == Version::V6_31_0 && given.len() < inputs.len();
    for (at, _) in inputs.iter().enumerate().filter(|(_, component)| lacking && **component == 1) {
        given.insert(at.min(given.len()), Value::Null);
    }
    let event = uuid::Uuid::new_v4().simple().to_string();
    let (session, host) = (event.clone(), host(&ask.head.headers));
    taken(engine, function as u64, Call { event, session, offer: &offers[function], data: given, host })
}

fn watch(engine: &Arc<Engine>, ask: &Ask) -> Response<Body> {
    let query = ask.head.uri.query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    match pairs.find(|(name, _)| name == "session_hash") {
        Some((_, session)) => answer::events(streams::messages(engine.clone(), session.into_owned())),
        None => answer::missing_field(["query", "session_hash"]),
    }
}

fn cancel(engine: &Engine, body: &[u8]) -> Response<Body> {
    let Ok(cancel) = serde_json::from_slice::<Cancel>(body) else {
        return answer::missing_field(["body", "session_hash"]);
    };
    engine.cancel(&cancel.session_hash, cancel.fn_index, &cancel.event_id);
    answer::ok(&json!({"success": true}))
}

fn file(engine: &Engine, ask: &Ask, route: &str) -> Response<Body> {
    let path = unescape(route.trim_start_matches("file="));
    engine.disk.serve(&path, &ask.head.headers)
}

fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok()))
            .flatten();
        out.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn host(headers: &HeaderMap) -> String {
    headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost").to_owned()
}
