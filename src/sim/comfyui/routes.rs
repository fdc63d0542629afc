//! Which path answers what.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::{Map, Value, json};

use crate::sim::{
    Body,
    comfyui::{
        Version, answer, files, jobs, nodes, origin,
        prompt::Prompt,
        sockets,
        state::{Interrupt, Memory, State, now},
        validate::{Invalid, refuse, validate},
    },
    server::plain,
};

/// One request, read whole.
struct Ask {
    head: Parts,
    path: String,
    query: HashMap<String, String>,
    body: Bytes,
}

/// Answers one request. Every route is there with and without `/api`.
pub(super) async fn answer(state: Arc<State>, request: Request<Incoming>) -> Response<Body> {
    if origin::forbids(state.version, request.headers()) {
        return answer::empty(StatusCode::FORBIDDEN);
    }
    if request.method() == Method::OPTIONS {
        return answer::empty(StatusCode::OK);
    }
    let path = request.uri().path().to_owned();
    let plain_path = path.strip_prefix("/api").filter(|p| p.starts_with('/')).unwrap_or(&path);
    if plain_path == "/ws" {
        return sockets::upgrade(state, request);
    }
    let (head, body) = request.into_parts();
    let Ok(body) =
        Limited::new(body, files::UPLOAD_CAP).collect().await.map(|b| b.to_bytes()).inspect_err(|e| {
            tracing::debug!(too_large = e.is::<LengthLimitError>(), "a request is not read whole");
        })
    else {
        return answer::text(StatusCode::PAYLOAD_TOO_LARGE, "Maximum request body size 104857600 exceeded");
    };
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let query = query.into_owned().collect();
    let ask = Ask { path: plain_path.to_owned(), head, query, body };
    if path.starts_with("/api/jobs") && state.version == Version::V0_24_0 {
        return api_jobs(&state, &ask);
    }
    route(&state, &ask)
}

fn route(state: &State, ask: &Ask) -> Response<Body> {
    let steps: Vec<&str> = ask.path.trim_start_matches('/').split('/').collect();
    let method = if ask.head.method == Method::HEAD { &Method::GET } else { &ask.head.method };
    match (method.as_str(), steps.as_slice()) {
        ("GET", ["prompt"]) => answer::ok(&state.memory().status()),
        ("POST", ["prompt"]) => prompt(state, ask),
        (_, ["prompt"]) => answer::text(StatusCode::METHOD_NOT_ALLOWED, "405: Method Not Allowed"),
        ("GET", ["queue"]) => queue(&state.memory()),
        ("POST", ["queue"]) => change_queue(state, ask),
        ("POST", ["interrupt"]) => interrupt(&mut state.memory(), ask),
        ("POST", ["free"]) => answer::empty(StatusCode::OK),
        ("GET", ["history"]) => {
            let most = ask.query.get("max_items").and_then(|most| most.parse().ok());
            answer::ok(&history(&state.memory(), None, most))
        }
        ("GET", ["history", id]) => answer::ok(&history(&state.memory(), Some(id), None)),
        ("POST", ["history"]) => change_history(&mut state.memory(), ask),
        ("GET", ["view"]) => files::view(state, &ask.query, &ask.head.headers),
        ("POST", ["upload", "image"]) => files::upload(state, &ask.head.headers, &ask.body),
        ("GET", ["system_stats"]) => answer::ok(&system_stats(state.version)),
        ("GET", ["features"]) => answer::ok(&sockets::features(state.version)),
        ("GET", ["object_info"]) => answer::ok(&object_info(state, None)),
        ("GET", ["object_info", class]) => answer::ok(&object_info(state, Some(class))),
        ("GET", ["models"]) => answer::ok(&json!(["checkpoints", "loras", "vae", "embeddings"])),
        ("GET", ["embeddings" | "extensions"]) => answer::ok(&json!([])),
        ("GET", ["models", "checkpoints"]) => answer::ok(&json!(state.disk.files().checkpoints)),
        ("GET", ["models", "loras" | "vae" | "embeddings"]) => answer::ok(&json!([])),
        ("GET", ["models", _]) => answer::empty(StatusCode::NOT_FOUND),
        ("GET", ["users"]) => answer::ok(&json!({"storage": "server", "migrated": false})),
        ("GET", ["settings"]) => answer::ok(&json!({})),
        ("GET", ["userdata"]) if !ask.query.contains_key("dir") => {
            answer::text(StatusCode::BAD_REQUEST, "Directory not provided")
        }
        (_, ["userdata", ..]) => userdata(&mut state.memory(), ask),
        ("GET", [""]) => plain(StatusCode::OK, "text/html", "<!doctype html><title>ComfyUI</title>"),
        _ => answer::nowhere(),
    }
}

fn prompt(state: &State, ask: &Ask) -> Response<Body> {
    let Ok(body) = serde_json::from_slice::<Value>(&ask.body) else { return answer::crashed() };
    let number = number(&mut state.memory(), &body);
    let Some(graph) = body.get("prompt") else {
        let text = "No prompt provided";
        return invalid(refuse("no_prompt", text, text, json!({})));
    };
    let id = match prompt_id(state.version, body.get("prompt_id")) {
        Ok(id) => id,
        Err(why) => return invalid(why),
    };
    let valid = match validate(state.version, graph, &state.disk.files()) {
        Ok(valid) => valid,
        Err(why) => return invalid(why),
    };
    let mut extra = body.get("extra_data").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(client) = body.get("client_id") {
        extra.insert("client_id".to_owned(), client.clone());
    }
    if state.version == Version::V0_24_0 {
        extra.insert("create_time".to_owned(), json!(now()));
    }
    let accepted = json!({"prompt_id": id, "number": number, "node_errors": valid.node_errors});
    let graph = graph.as_object().cloned().unwrap_or_default();
    state.memory().pending.push(Prompt { number, id, graph, extra, outputs: valid.outputs });
    state.queue_changed();
    state.work.notify_one();
    answer::ok(&accepted)
}

/// Every prompt has a number, also one that is then refused.
fn number(memory: &mut Memory, body: &Value) -> Value {
    if let Some(number) = body.get("number").and_then(Value::as_f64) {
        return json!(number);
    }
    let number = memory.number;
    memory.number += 1;
    if body.get("front").and_then(Value::as_bool) == Some(true) { json!(-number) } else { json!(number) }
}

fn prompt_id(version: Version, given: Option<&Value>) -> Result<String, Invalid> {
    let minted = || uuid::Uuid::new_v4().to_string();
    match (version, given) {
        (_, None) | (Version::V0_24_0, Some(Value::Null)) => Ok(minted()),
        // Python's str() of whatever it is.
        (Version::V0_3_64, Some(Value::Null)) => Ok("None".to_owned()),
        (Version::V0_3_64, Some(Value::String(id))) => Ok(id.clone()),
        (Version::V0_3_64, Some(other)) => Ok(other.to_string()),
        (Version::V0_24_0, Some(id)) => {
            let id = id.as_str().unwrap_or_default();
            let canonical = uuid::Uuid::try_parse(id).is_ok_and(|uuid| uuid.hyphenated().to_string() == id);
            if canonical { Ok(id.to_owned()) } else { Err(bad_id()) }
        }
    }
}

fn bad_id() -> Invalid {
    refuse(
        "invalid_prompt_id",
        "prompt_id must be a valid UUID",
        "prompt_id must be a UUID string in canonical lowercase hyphenated form; omit it to let the server generate one",
        json!({}),
    )
}

fn invalid(why: Invalid) -> Response<Body> {
    match why {
        Invalid::Crashed => answer::crashed(),
        Invalid::Refused { error, node_errors } => {
            answer::json(StatusCode::BAD_REQUEST, &json!({"error": error, "node_errors": node_errors}))
        }
    }
}

fn queue(memory: &Memory) -> Response<Body> {
    let running: Vec<_> = memory.running.iter().map(Prompt::ticket).collect();
    let pending: Vec<_> = memory.pending.iter().map(Prompt::ticket).collect();
    answer::ok(&json!({"queue_running": running, "queue_pending": pending}))
}

fn change_queue(state: &State, ask: &Ask) -> Response<Body> {
    let Ok(body) = serde_json::from_slice::<Value>(&ask.body) else { return answer::crashed() };
    let mut memory = state.memory();
    let before = memory.pending.len();
    let clear = body.get("clear").and_then(Value::as_bool) == Some(true);
    let ids = body.get("delete").and_then(Value::as_array).cloned().unwrap_or_default();
    // The first of several with one id goes, the others stay.
    for id in ids {
        if let Some(at) = memory.pending.iter().position(|p| id == p.id.as_str()) {
            memory.pending.remove(at);
        }
    }
    if clear {
        memory.pending.clear();
    }
    let changed = clear || memory.pending.len() != before;
    drop(memory);
    if changed {
        state.queue_changed();
    }
    answer::empty(StatusCode::OK)
}

/// Without an id whatever runs is interrupted; with one, only the prompt that has it.
fn interrupt(memory: &mut Memory, ask: &Ask) -> Response<Body> {
    let body: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
    let meant = match body.get("prompt_id").and_then(Value::as_str) {
        Some(id) => memory.running.as_ref().is_some_and(|p| p.id == id),
        None => true,
    };
    if meant {
        memory.interrupt = Interrupt::Asked;
    }
    answer::empty(StatusCode::OK)
}

/// What is remembered of one prompt, or of the last ones.
fn history(memory: &Memory, id: Option<&str>, most: Option<usize>) -> Value {
    let skipped = memory.history.len().saturating_sub(most.unwrap_or(usize::MAX));
    let entries = memory.history.iter().skip(skipped).filter(|(key, _)| id.is_none_or(|id| id == *key));
    Value::Object(entries.map(|(key, entry)| (key.clone(), entry.clone())).collect())
}

fn change_history(memory: &mut Memory, ask: &Ask) -> Response<Body> {
    let Ok(body) = serde_json::from_slice::<Value>(&ask.body) else { return answer::crashed() };
    if body.get("clear").and_then(Value::as_bool) == Some(true) {
        memory.history.clear();
    }
    for id in body.get("delete").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        memory.history.shift_remove(id);
    }
    answer::empty(StatusCode::OK)
}

fn object_info(state: &State, class: Option<&str>) -> Value {
    let files = state.disk.files();
    let classes = nodes::all().filter(|c| class.is_none_or(|name| name == c.name));
    let described: Map<_, _> = classes.map(|c| (c.name.to_owned(), nodes::describe(c, &files))).collect();
    Value::Object(described)
}

fn system_stats(version: Version) -> Value {
    let memory = 25_276_514_304_u64;
    let free = 22_480_646_144_u64;
    let os = if version == Version::V0_3_64 { "posix" } else { "linux" };
    json!({
        "system": {"os": os, "ram_total": memory, "ram_free": free, "comfyui_version": version.as_str(),
            "python_version": "3.11.7", "pytorch_version": "2.9.1+cu128", "embedded_python": false,
            "argv": ["main.py", "--cpu", "--preview-method", "auto"]},
        "devices": [{"name": "cpu", "type": "cpu", "index": null, "vram_total": memory, "vram_free": free,
            "torch_vram_total": memory, "torch_vram_free": free}],
    })
}

fn userdata(memory: &mut Memory, ask: &Ask) -> Response<Body> {
    let name = ask.path.trim_start_matches("/userdata/").to_owned();
    let keep = ask.query.get("overwrite").is_some_and(|o| o == "false");
    match ask.head.method.as_str() {
        "POST" if keep && memory.userdata.contains_key(&name) => {
            answer::text(StatusCode::CONFLICT, "File already exists")
        }
        "POST" => {
            memory.userdata.insert(name.clone(), ask.body.clone());
            answer::ok(&json!(name))
        }
        "DELETE" if memory.userdata.remove(&name).is_some() => {
            let mut gone = answer::empty(StatusCode::NO_CONTENT);
            gone.headers_mut().remove(header::CONTENT_LENGTH);
            gone
        }
        "GET" => match memory.userdata.get(&name) {
            Some(bytes) => plain(StatusCode::OK, "application/json", bytes.clone()),
            None => answer::empty(StatusCode::NOT_FOUND),
        },
        _ => answer::empty(StatusCode::NOT_FOUND),
    }
}

fn api_jobs(state: &State, ask: &Ask) -> Response<Body> {
    let memory = state.memory();
    let number = |key: &str| ask.query.get(key).and_then(|n| n.parse().ok());
    match (ask.head.method.as_str(), ask.path.trim_start_matches("/jobs").trim_start_matches('/')) {
        ("GET", "") => {
            let status = ask.query.get("status").map(String::as_str);
            answer::ok(&jobs::list(&memory, status, number("offset").unwrap_or(0), number("limit")))
        }
        ("GET", id) => match jobs::one(&memory, id) {
            Some(job) => answer::ok(&job),
            None => answer::json(StatusCode::NOT_FOUND, &json!({"error": "Job not found"})),
        },
        _ => answer::text(StatusCode::METHOD_NOT_ALLOWED, "405: Method Not Allowed"),
    }
}
