//! WanGP's MCP server: JSON-RPC at `/mcp/`. Written against WanGP 12.60 over the MCP library 1.10.1.

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    discovery::{answer::Answer, identity::identity, sighting::Sighting},
    model::Kind,
};

#[derive(Deserialize)]
struct Refusal<'a> {
    jsonrpc: &'a str,
    #[serde(rename = "error")]
    _error: IgnoredAny,
}

#[derive(Deserialize)]
struct Welcome {
    result: Initialized,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initialized {
    server_info: ServerInfo,
}

#[derive(Deserialize)]
struct ServerInfo {
    name: String,
}

/// Whether an answer to a plain `GET /mcp/` is MCP's: 406 and an error of JSON-RPC, since we take no event stream.
pub(in crate::discovery) fn speaks(answer: &Answer) -> bool {
    let refusal: Option<Refusal<'_>> = answer.json();
    answer.status.is_client_error() && refusal.is_some_and(|refusal| refusal.jsonrpc == "2.0")
}

/// WanGP by its name in the answer to the greeting. It shows nothing else: all WanGP servers share an identity. The
/// version beside the name is the MCP library's.
pub(in crate::discovery) fn sight(answer: &Answer) -> Option<Sighting> {
    let welcome: Welcome = answer.json().filter(|_| answer.status.is_success())?;
    let is_it = welcome.result.server_info.name == "WanGP";
    let sighting = || Sighting::new(Kind::Wan2gp, identity(Kind::Wan2gp, ["mcp", "WanGP"]));
    is_it.then(|| sighting().title(Some("WanGP (MCP server)")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::answer::tests::answer;

    #[test]
    fn only_wangp_is_found() {
        let refusal =
            r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Not Acceptable"}}"#;
        assert!(speaks(&answer(406, "uvicorn", refusal)));
        assert!(
            !speaks(&answer(404, "uvicorn", r#"{"detail":"Not Found"}"#))
                && !speaks(&answer(200, "", refusal))
        );
        let welcome = |name: &str| {
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"result":{{"serverInfo":{{"name":"{name}","version":"1.10.1"}}}}}}"#
            )
        };
        assert_eq!(sight(&answer(200, "", welcome("WanGP"))).unwrap().kind, Kind::Wan2gp);
        assert_eq!(sight(&answer(200, "", welcome("files"))), None);
    }
}
