//! How WanGP's MCP server is recognised: the question, and the answer that only it gives. Pure; discovery uses both.
//!
//! `serverInfo.version` is the version of the MCP library (1.10.1 in WanGP 12.60), never WanGP's own: the server tells
//! that one nowhere.

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;

use crate::{
    backends::wan2gp::rpc,
    model::{Fault, fault::clean},
};

/// Where the server listens, below its base; without the slash it answers 307 (MCP library 1.10.1).
pub(crate) const ENDPOINT: &str = "mcp/";

/// The types that a request must accept: both, or the server answers 406.
pub(crate) const ACCEPT: &str = "application/json, text/event-stream";

const ID: u64 = 1;

/// What an MCP server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// Its name, `WanGP` where it is one.
    pub(crate) name: String,
    /// The version that it tells.
    pub(crate) library: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initialized {
    server_info: ServerInfo,
}

#[derive(Deserialize)]
struct ServerInfo {
    name: String,
    #[serde(default)]
    version: Option<String>,
}

impl Greeting {
    /// The body of the question: POST it to [`ENDPOINT`] as `application/json`, accepting [`ACCEPT`]. It changes nothing:
    /// the server keeps no session.
    ///
    /// # Errors
    /// None in practice: the document is ours.
    pub(crate) fn question() -> Result<Bytes, Fault> {
        rpc::request(ID, "initialize", rpc::hello())
    }

    /// Who answered; `None` where that is no MCP server.
    pub(crate) fn read(status: StatusCode, body: &[u8]) -> Option<Self> {
        if status != StatusCode::OK {
            return None;
        }
        let result = rpc::result(body, ID).ok()?;
        let info = serde_json::from_str::<Initialized>(result.get()).ok()?.server_info;
        let library = info.version.map(|v| clean(&v, 40));
        Some(Self { name: clean(&info.name, 80), library })
    }

    /// Whether it is WanGP.
    pub(crate) fn is_wangp(&self) -> bool {
        self.name == "WanGP"
    }

    /// The title that a person sees.
    pub(crate) fn title(&self) -> String {
        match &self.library {
            Some(library) => format!("{} (MCP server, library {library})", self.name),
            None => format!("{} (MCP server)", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::wan2gp::recordings;

    #[test]
    fn the_recorded_server_is_recognised() {
        let status = recordings::status("initialize");
        let greeting = Greeting::read(status, &recordings::body("initialize")).unwrap();
        assert!(greeting.is_wangp());
        assert_eq!(greeting.library.as_deref(), Some("1.10.1"));
    }

    #[test]
    fn other_answers_are_nobody() {
        for name in [
            "GET_",
            "GET_config",
            "initialize_accept_json_only",
            "badjson",
            "initialize_noslash_redirect",
            "tools_list_without_init",
        ] {
            assert_eq!(Greeting::read(recordings::status(name), &recordings::body(name)), None, "{name}");
        }
        let other = br#"{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"files"}}}"#;
        assert!(!Greeting::read(StatusCode::OK, other).unwrap().is_wangp());
    }
}
