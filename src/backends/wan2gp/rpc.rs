//! JSON-RPC 2.0 as WanGP's MCP server speaks it: one question in a POST, one answer in its body, no state between two.
//! Pure.
//!
//! Recorded from WanGP 12.60 over the MCP library 1.10.1. Refusals that never reach a tool carry the id `server-error`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::{Code, Fault};

/// The revision of MCP that is spoken; the server answers with its own where it has another.
pub(super) const PROTOCOL: &str = "2025-06-18";

#[derive(Serialize)]
struct Request<'a, P> {
    jsonrpc: &'static str,
    id: u64,
    method: &'a str,
    params: P,
}

/// A question.
pub(super) fn request(id: u64, method: &str, params: impl Serialize) -> Result<Bytes, Fault> {
    let request = Request { jsonrpc: "2.0", id, method, params };
    serde_json::to_vec(&request)
        .map(Bytes::from)
        .map_err(|e| Fault::new(Code::BadRequest, format!("the request cannot be written as JSON: {e}")))
}

/// The parameters of `initialize`.
pub(super) fn hello() -> impl Serialize {
    #[derive(Serialize)]
    struct Client {
        name: &'static str,
        version: &'static str,
    }
    #[derive(Serialize)]
    struct Nothing {}
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Hello {
        protocol_version: &'static str,
        capabilities: Nothing,
        client_info: Client,
    }
    let client_info = Client { name: "backline", version: env!("CARGO_PKG_VERSION") };
    Hello { protocol_version: PROTOCOL, capabilities: Nothing {}, client_info }
}

/// The parameters of `tools/call`.
#[derive(Serialize)]
pub(super) struct Call<'a, A> {
    pub(super) name: &'a str,
    pub(super) arguments: A,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<RpcError>,
}

/// A refusal by the protocol itself; a tool that fails answers with a result.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct RpcError {
    pub(super) code: i64,
    pub(super) message: String,
}

/// What an answer is, short of the result that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unanswered {
    Refused(RpcError),
    /// It is no answer of JSON-RPC, or one to another question.
    NotAnAnswer(String),
}

/// The result in an answer to the question with this id.
pub(super) fn result(body: &[u8], id: u64) -> Result<&RawValue, Unanswered> {
    let strange = |why: &str| Unanswered::NotAnAnswer(why.to_owned());
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|e| strange(&e.to_string()))?;
    if let Some(error) = envelope.error {
        return Err(Unanswered::Refused(error));
    }
    let result = envelope.result.ok_or_else(|| strange("it has neither a result nor an error"))?;
    // A proxy or a server that mixes up its answers must not end another job.
    if envelope.id.is_none_or(|got| got.get() != id.to_string()) {
        return Err(strange("it answers another question"));
    }
    Ok(result)
}

/// The refusal in an error's body, where there is one.
pub(super) fn refusal(body: &[u8]) -> Option<RpcError> {
    serde_json::from_slice::<Envelope<'_>>(body).ok()?.error
}

impl Unanswered {
    pub(super) fn fault(self, place: &str) -> Fault {
        match self {
            Self::NotAnAnswer(why) => {
                Fault::new(Code::Protocol, format!("{place}: the answer is no answer of JSON-RPC: {why}"))
            }
            Self::Refused(RpcError { code, message }) => {
                let text = format!("{place}: the MCP server refuses the request: {message} ({code})");
                Fault::new(if code == -32_602 { Code::BadRequest } else { Code::Protocol }, text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::wan2gp::recordings;

    #[test]
    fn a_result_is_taken_only_from_the_answer_to_our_question() {
        let body = recordings::body("initialize");
        assert!(result(&body, 1).unwrap().get().contains("WanGP"));
        assert!(matches!(result(&body, 2), Err(Unanswered::NotAnAnswer(_))));
        assert!(matches!(result(br#"{"jsonrpc":"2.0","id":1}"#, 1), Err(Unanswered::NotAnAnswer(_))));
        assert!(matches!(result(b"<html>", 1), Err(Unanswered::NotAnAnswer(_))));
    }

    #[test]
    fn the_recorded_refusals_are_read_with_their_codes() {
        for (name, code) in [
            ("badjson", -32_700),
            ("initialize_accept_json_only", -32_600),
            ("GET_mcp_", -32_600),
            ("DELETE_mcp", -32_600),
        ] {
            let body = recordings::body(name);
            assert_eq!(refusal(&body).map(|e| e.code), Some(code), "{name}");
            assert!(matches!(result(&body, 1), Err(Unanswered::Refused(_))), "{name}");
        }
        assert!(refusal(&recordings::body("GET_config")).is_none());
    }

    #[test]
    fn our_requests_are_those_that_were_recorded() {
        let recorded: serde_json::Value = serde_json::from_str(&recordings::asked("generate")).unwrap();
        let call = Call { name: "wangp_generate", arguments: recorded["params"]["arguments"].clone() };
        let ours = request(3, "tools/call", call).unwrap();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&ours).unwrap(), recorded);
        let hello: serde_json::Value =
            serde_json::from_slice(&request(1, "initialize", hello()).unwrap()).unwrap();
        assert_eq!(hello["params"]["protocolVersion"], "2025-06-18");
    }
}
