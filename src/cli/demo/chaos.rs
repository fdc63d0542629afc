//! The drawer of the demo's dashboard: a simulated backend is killed, hung, slowed, corrupted or healed, or the actor
//! of its connection panics. Only the demo mounts these routes.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::StatusCode;
use serde::Serialize;

use super::{act, cast::Cast};
use crate::{Handle, sim::Act};

/// What a slow server adds to each answer: longer than a probe waits would be a hang.
const SLOWNESS: Duration = Duration::from_millis(700);

/// What can be done to a backend.
const ACTS: [&str; 9] = ["kill", "start", "hang", "slow", "corrupt", "deny", "heal", "panic", "job"];

#[derive(Clone)]
struct Chaos {
    handle: Handle,
    cast: Arc<Cast>,
}

#[derive(Serialize)]
struct Backends {
    backends: Vec<Breakable>,
}

#[derive(Clone, Serialize)]
struct Breakable {
    id: &'static str,
    acts: [&'static str; ACTS.len()],
}

pub(super) fn routes(handle: Handle, cast: Arc<Cast>) -> Router {
    Router::new()
        .route("/demo/backends", get(list))
        .route("/demo/{id}/{act}", post(done))
        .with_state(Chaos { handle, cast })
}

async fn list() -> Response {
    let backends = Cast::IDS.map(|id| Breakable { id, acts: ACTS }).to_vec();
    Json(Backends { backends }).into_response()
}

async fn done(State(chaos): State<Chaos>, Path((id, act)): Path<(String, String)>) -> Response {
    let Some(server) = chaos.cast.server(&id) else {
        return refused(StatusCode::NOT_FOUND, "no such backend");
    };
    match act.as_str() {
        "kill" => server.kill(),
        "start" => {
            if let Err(error) = server.restart().await {
                return refused(StatusCode::CONFLICT, &error.to_string());
            }
        }
        "hang" => server.freeze(),
        "slow" => server.trouble("/", None, Act::Delay(SLOWNESS)),
        "corrupt" => {
            server.trouble("/", None, Act::Answer(StatusCode::OK, "<html>\u{fffd}\u{1b}[31m".to_owned()))
        }
        "deny" => {
            let says = r#"{"error":{"message":"Authentication Error"}}"#.to_owned();
            server.trouble("/", None, Act::Answer(StatusCode::UNAUTHORIZED, says));
            server.cut();
        }
        "heal" => {
            server.calm();
            server.thaw();
        }
        "panic" => match chaos.handle.inject_panic(&id) {
            Ok(()) => {}
            Err(error) => return error.into_response(),
        },
        "job" => match chaos.handle.run(act::job_for(&id)).await {
            Ok(job) => {
                return (StatusCode::ACCEPTED, Json(serde_json::json!({ "job": job.id() }))).into_response();
            }
            Err(error) => return error.into_response(),
        },
        _ => return refused(StatusCode::NOT_FOUND, "no such act"),
    }
    (StatusCode::ACCEPTED, Json(serde_json::json!({}))).into_response()
}

fn refused(status: StatusCode, message: &str) -> Response {
    let error = serde_json::json!({ "code": "demo", "class": "usage", "message": message,
        "fix": "GET /demo/backends lists what can be done.", "retryable": false, "detail": null });
    (status, Json(serde_json::json!({ "error": error }))).into_response()
}
