//! Wan2GP: its MCP server over HTTP (JSON-RPC in POSTs, no state between two), written against WanGP 12.60 over the MCP
//! library 1.10.1. Its web page is a Gradio app, which `gradio` speaks.

#![allow(dead_code, reason = "the session that uses all of it comes with the next commit")]

mod complaint;
pub(crate) mod greeting;
#[cfg(test)]
mod recordings;
mod rpc;
mod snapshot;
mod tool;
