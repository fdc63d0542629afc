//! From a one-time code to a session of the page, and to its end.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Context,
    access::{Scope, bearer},
    answer::refusal,
    describe::Missing,
    sessions::Session,
};
use crate::model::Class;

/// What is traded.
#[derive(Deserialize, ToSchema)]
struct Trade {
    code: String,
}

/// A session of the page.
#[derive(Serialize, ToSchema)]
struct Begun {
    token: String,
}

/// What somebody who is let in may do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum May {
    /// Read everything, and change nothing.
    Look,
    /// Everything.
    Change,
}

/// Who asks.
#[derive(Serialize, ToSchema)]
struct Caller {
    may: May,
    /// The session of the page; none where the token belongs to none.
    session: Option<Session>,
}

/// A one-time code.
#[derive(Serialize, ToSchema)]
struct OneTimeCode {
    code: String,
}

#[derive(Serialize, ToSchema)]
struct SessionList {
    sessions: Vec<Session>,
}

/// Makes a one-time code, good for 10 minutes.
#[utoipa::path(post, path = "/session/code", responses((status = 200, body = OneTimeCode)))]
pub(crate) async fn code(State(context): State<Context>) -> Response {
    Json(OneTimeCode { code: context.access.one_time_code() }).into_response()
}

/// Trades a one-time code for a session's token, good for 30 days.
#[utoipa::path(post, path = "/session", request_body = Trade, security(()), responses((status = 200, body = Begun)))]
pub(crate) async fn trade(State(context): State<Context>, body: Bytes) -> Response {
    let bad = |message: &str| {
        let fix = "Run `backline open` for a fresh address.";
        refusal(StatusCode::UNAUTHORIZED, "bad_code", Class::Auth, message, fix)
    };
    let Ok(trade) = serde_json::from_slice::<Trade>(&body) else { return bad("the request holds no code") };
    match context.access.trade(&trade.code).await {
        Some(token) => Json(Begun { token: token.expose().to_owned() }).into_response(),
        None => bad("the code was used already, or is too old"),
    }
}

/// What the token of the request may do.
#[utoipa::path(get, path = "/session", responses((status = 200, body = Caller)))]
pub(crate) async fn show(State(context): State<Context>, headers: HeaderMap) -> Response {
    let may = match context.access.admits(&headers) {
        Some(Scope::Full) => May::Change,
        // A ticket opens one file, and nothing here.
        Some(Scope::Read) | None => May::Look,
    };
    let sessions = context.access.sessions().list(bearer(&headers).unwrap_or_default());
    Json(Caller { may, session: sessions.into_iter().find(|session| session.current) }).into_response()
}

/// Ends the session that asks.
#[utoipa::path(delete, path = "/session", responses((status = 204, description = "It is over"), Missing))]
pub(crate) async fn end(State(context): State<Context>, headers: HeaderMap) -> Response {
    let ended = context.access.sessions().end(bearer(&headers).unwrap_or_default()).await;
    over(ended, "the token is the instance's own, and belongs to no session")
}

/// The sessions that are good now.
#[utoipa::path(get, path = "/sessions", responses((status = 200, body = SessionList)))]
pub(crate) async fn list(State(context): State<Context>, headers: HeaderMap) -> Response {
    let sessions = context.access.sessions().list(bearer(&headers).unwrap_or_default());
    Json(SessionList { sessions }).into_response()
}

/// Ends a session by its name.
#[utoipa::path(
    delete, path = "/sessions/{id}", params(("id" = String, Path, description = "As listed")),
    responses((status = 204, description = "It is over"), Missing)
)]
pub(crate) async fn revoke(State(context): State<Context>, Path(id): Path<String>) -> Response {
    over(context.access.sessions().revoke(&id).await, "there is no session of this name")
}

fn over(ended: bool, message: &str) -> Response {
    if ended {
        return StatusCode::NO_CONTENT.into_response();
    }
    let fix = "`GET /api/v1/sessions` lists those that are good.";
    refusal(StatusCode::NOT_FOUND, "unknown_session", Class::NotFound, message, fix)
}
