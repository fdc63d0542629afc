//! WanGP's MCP server: JSON-RPC at `/mcp/`. The greeting is the connection's own.

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    backends::wan2gp::greeting::Greeting,
    discovery::{answer::Answer, identity::identity, sighting::Sighting},
    model::Kind,
};

#[derive(Deserialize)]
struct Refusal<'a> {
    jsonrpc: &'a str,
    #[serde(rename = "error")]
    _error: IgnoredAny,
}

/// Whether an answer to a plain `GET /mcp/` is MCP's: 406 and an error of JSON-RPC, since we take no event stream.
pub(in crate::discovery) fn speaks(answer: &Answer) -> bool {
    let refusal: Option<Refusal<'_>> = answer.json();
    answer.status.is_client_error() && refusal.is_some_and(|refusal| refusal.jsonrpc == "2.0")
}

/// WanGP by its name in the answer to the greeting. It shows nothing else: all WanGP servers share an identity.
pub(in crate::discovery) fn sight(answer: &Answer) -> Option<Sighting> {
    let greeting = Greeting::read(answer.status, &answer.body).filter(Greeting::is_wangp)?;
    let sighting = Sighting::new(Kind::Wan2gp, identity(Kind::Wan2gp, ["mcp", "WanGP"]));
    Some(sighting.title(Some(&greeting.title())))
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
