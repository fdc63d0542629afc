//! A sweep, now.

use std::time::Duration;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Context, LIMIT,
    answer::refusal,
    describe::{Away, Bad},
    schema::Swept,
};
use crate::{
    discovery::{Scope, longest},
    model::Class,
};

/// Both may be left out: then it is the known ports of this machine and what is configured.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
struct SweepWish {
    #[serde(default)]
    /// Machines: names, addresses, small networks.
    hosts: Vec<String>,
    #[serde(default)]
    /// Ports and ranges of ports.
    ports: Vec<String>,
}

/// Answers with what was found, once all was looked at.
#[utoipa::path(post, path = "/discover", request_body = Option<SweepWish>, responses((status = 200, body = Swept), Bad, Away))]
pub(crate) async fn discover(State(context): State<Context>, body: Bytes) -> Response {
    let scope = match scope(context.handle.discovery_scope(), &body) {
        Ok(scope) => scope,
        Err(message) => {
            let fix = "Send nothing, or {\"ports\":[\"9000-9010\"],\"hosts\":[\"render-box\"]}.";
            return refusal(StatusCode::BAD_REQUEST, "bad_body", Class::Usage, &message, fix);
        }
    };
    if longest(&scope) > LIMIT - Duration::from_secs(1) {
        let message = "that many ports cannot be looked at while a request waits";
        let fix = "Ask for fewer, or run `backline discover`.";
        return refusal(StatusCode::BAD_REQUEST, "too_wide", Class::Usage, message, fix);
    }
    match context.handle.discover(scope).await {
        Ok(swept) => Json(swept).into_response(),
        Err(error) => error.into_response(),
    }
}

fn scope(own: Scope, body: &[u8]) -> Result<Scope, String> {
    if body.is_empty() {
        return Ok(own);
    }
    let wish: SweepWish = serde_json::from_slice(body).map_err(|e| format!("the body is no scope: {e}"))?;
    Ok(own.hosts(all(&wish.hosts)?).ports(all(&wish.ports)?))
}

fn all<T: std::str::FromStr<Err = String>>(texts: &[String]) -> Result<Vec<T>, String> {
    let read = |text: &String| {
        text.parse().map_err(|why| format!("`{}` {why}", text.chars().take(60).collect::<String>()))
    };
    texts.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_narrows_the_scope_and_a_wrong_one_is_named() {
        let of = |body: &str| scope(Scope::new(), body.as_bytes());
        assert_eq!(of(""), Ok(Scope::new()));
        assert_eq!(of("{}"), Ok(Scope::new()));
        assert_eq!(of(r#"{"ports":["9000"]}"#).unwrap().ports.len(), 1);
        for (body, says) in [
            (r#"{"ports":["0"]}"#, "`0` is no port"),
            (r#"{"hosts":["10.0.0.0/8"]}"#, "too large"),
            (r#"{"port":["1"]}"#, "port"),
        ] {
            assert!(of(body).unwrap_err().contains(says), "{body}");
        }
    }
}
