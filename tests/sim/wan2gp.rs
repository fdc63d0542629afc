//! WanGP's MCP server.

mod calls;
mod dial;
mod fate;
mod rig;
