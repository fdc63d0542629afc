//! From a one-time code to a session of the page.

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{Context, answer::refusal};
use crate::model::Class;

#[derive(Deserialize)]
struct Trade {
    code: String,
}

#[derive(Serialize)]
struct Session {
    token: String,
}

#[derive(Serialize)]
struct Code {
    code: String,
}

/// Makes a one-time code; wants the token.
pub(crate) async fn code(State(context): State<Context>) -> Response {
    Json(Code { code: context.access.one_time_code() }).into_response()
}

/// Trades a one-time code for a session's token.
pub(crate) async fn trade(State(context): State<Context>, request: Request) -> Response {
    let bad = |message: &str| {
        let fix = "Run `backline open` for a fresh address.";
        refusal(StatusCode::UNAUTHORIZED, "bad_code", Class::Auth, message, fix)
    };
    let body = match axum::body::to_bytes(request.into_body(), 4096).await {
        Ok(body) => body,
        Err(_) => return bad("the request cannot be read"),
    };
    let Ok(trade) = serde_json::from_slice::<Trade>(&body) else { return bad("the request holds no code") };
    match context.access.trade(&trade.code) {
        Some(token) => Json(Session { token: token.expose().to_owned() }).into_response(),
        None => bad("the code was used already, or is too old"),
    }
}
