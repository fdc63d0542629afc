//! What an answer's status means, where it is not the 200 that every answer of a tool has. Pure.

use http::StatusCode;

use crate::{
    backends::wan2gp::rpc,
    model::{Code, Fault},
};

/// The fault of an answer with this status and body, from the MCP endpoint.
pub(super) fn of(place: &str, status: StatusCode, body: &[u8]) -> Fault {
    // The protocol's own refusal says most: 405, 406 and 400 all have one (MCP library 1.10.1).
    let words = rpc::refusal(body).map(|error| error.message);
    let said = words.as_deref().unwrap_or_default();
    let text = format!("{place}: HTTP {}: {said}", status.as_u16());
    let text = text.trim_end_matches([':', ' ']);
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Fault::new(Code::AuthRequired, text).with_fix(
                "WanGP's MCP server has no log-in, so what asks for one stands before it: give what it wants in `headers`.",
            )
        }
        StatusCode::FORBIDDEN => Fault::new(Code::Forbidden, text),
        StatusCode::NOT_FOUND => {
            Fault::new(Code::WrongProgram, format!("{place} has no MCP server at `/mcp`"))
        }
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Fault::new(Code::ProxyInTheWay, text)
        }
        status if status.is_redirection() => {
            Fault::new(Code::WrongProgram, format!("{place}: `/mcp/` is redirected elsewhere"))
        }
        status if status.is_server_error() => Fault::new(Code::BackendError, text),
        _ => Fault::new(Code::Protocol, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::wan2gp::recordings::{body, status};

    #[test]
    fn the_recorded_refusals_have_their_causes() {
        for (name, code, words) in [
            ("initialize_accept_json_only", Code::Protocol, "must accept both"),
            ("badjson", Code::Protocol, "Parse error"),
            ("DELETE_mcp", Code::Protocol, "Method Not Allowed"),
            ("initialize_noslash_redirect", Code::WrongProgram, "redirected"),
            ("GET_config", Code::WrongProgram, "no MCP server"),
        ] {
            let fault = of("h:1", status(name), &body(name));
            assert_eq!(fault.code(), code, "{name}: {fault}");
            assert!(fault.message().contains(words), "{name}: {fault}");
        }
        assert_eq!(of("h:1", StatusCode::BAD_GATEWAY, b"<html>").code(), Code::ProxyInTheWay);
        assert_eq!(of("h:1", StatusCode::UNAUTHORIZED, b"").message(), "h:1: HTTP 401");
    }
}
