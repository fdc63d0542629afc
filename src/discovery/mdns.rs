//! What the local network announces by mDNS (RFC 6762) and DNS-SD (RFC 6763), and what we announce there.
//!
//! ComfyUI 0.24.0, Gradio 6.31.0, LiteLLM 1.106.2 and WanGP announce nothing by themselves; whoever runs one on another
//! machine can (Avahi: a service file of the type `_http._tcp`). An announcement is a hint of where to look and nothing
//! more: what listens there is asked like everything else, and counts by its fingerprint.

mod announce;
mod browse;

pub use announce::{Announcement, SERVICE};
pub(crate) use browse::browse;

/// The port of mDNS.
const PORT: u16 = 5353;

#[cfg(test)]
mod tests;
