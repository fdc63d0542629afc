//! What a person should know, and what a person says of it.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Context,
    answer::refusal,
    describe::{Bad, Missing},
};
use crate::{
    Error,
    config::duration::parse_duration,
    model::{Class, Notice, NoticeId},
    notices::{Mute, Wanted},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Hidden and ended ones too.
    #[serde(default)]
    all: bool,
}

#[derive(Serialize, ToSchema)]
struct Listed {
    notices: Vec<Notice>,
}

/// How long; nothing said: for good.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
struct MuteWish {
    /// A duration like `8h`; `0s` takes a mute off.
    #[serde(rename = "for")]
    time: Option<String>,
}

/// The open notices, the worst first; `?all=true` adds hidden and ended ones.
#[utoipa::path(get, path = "/notices", params(Asked), responses((status = 200, body = Listed), Bad))]
pub(crate) async fn list(State(context): State<Context>, Query(asked): Query<Asked>) -> Response {
    let wanted = if asked.all { Wanted::All } else { Wanted::Shown };
    Json(Listed { notices: context.handle.notices(wanted) }).into_response()
}

/// Hides it until its cause comes again.
#[utoipa::path(post, path = "/notices/{id}/dismiss", params(("id" = NoticeId, Path, description = "The notice")), responses((status = 200, body = Notice), Missing))]
pub(crate) async fn dismiss(State(context): State<Context>, Path(id): Path<String>) -> Response {
    answer(context.handle.dismiss_notice(&id))
}

/// Hides its cause at its backend: `{"for":"8h"}`; for good without a body; `{"for":"0s"}` takes that off.
#[utoipa::path(
    post, path = "/notices/{id}/mute", params(("id" = NoticeId, Path, description = "The notice")), request_body = Option<MuteWish>,
    responses((status = 200, body = Notice), Bad, Missing)
)]
pub(crate) async fn mute(State(context): State<Context>, Path(id): Path<String>, body: Bytes) -> Response {
    match wish(&body) {
        Ok(mute) => answer(context.handle.mute_notice(&id, mute)),
        Err(message) => {
            let fix = "Send nothing (for good), {\"for\":\"8h\"}, or {\"for\":\"0s\"} to take it off.";
            refusal(StatusCode::BAD_REQUEST, "bad_body", Class::Usage, &message, fix)
        }
    }
}

fn wish(body: &[u8]) -> Result<Option<Mute>, String> {
    let wish = match body {
        [] => MuteWish::default(),
        body => serde_json::from_slice(body).map_err(|e| format!("the body is no mute: {e}"))?,
    };
    let Some(text) = wish.time else { return Ok(Some(Mute::ForGood)) };
    let time = parse_duration(&text).map_err(|e| format!("`for` {e}; write it like 8h or 30m"))?;
    if time.is_zero() {
        return Ok(None);
    }
    // A time beyond the calendar is for good.
    Ok(Some(Timestamp::now().checked_add(time).map_or(Mute::ForGood, Mute::Until)))
}

fn answer(done: Result<Notice, Error>) -> Response {
    match done {
        Ok(notice) => Json(notice).into_response(),
        Err(error) => error.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mute_is_for_a_time_for_good_or_off() {
        assert_eq!(wish(b""), Ok(Some(Mute::ForGood)));
        assert_eq!(wish(b"{}"), Ok(Some(Mute::ForGood)));
        assert_eq!(wish(br#"{"for":"0s"}"#), Ok(None));
        assert!(matches!(wish(br#"{"for":"8h"}"#), Ok(Some(Mute::Until(end))) if end > Timestamp::now()));
        assert_eq!(wish(br#"{"for":"400000000d"}"#), Ok(Some(Mute::ForGood)));
        assert!(wish(br#"{"for":"soon"}"#).unwrap_err().contains("8h"));
        assert!(wish(br#"{"until":1}"#).is_err());
    }
}
