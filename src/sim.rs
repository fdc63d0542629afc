//! Simulated backends, as real servers on loopback ports: for the demo, for tests, and for hosts that want to try
//! their own behaviour against dying servers.
//!
//! Each behaves like the recorded real server of a version, quirks included. [`SimServer`] is the machine under it:
//! it can be killed, restarted, frozen, cut and made to fail request by request.

#[cfg(feature = "comfyui")]
pub mod comfyui;
pub mod fault;
#[cfg(any(feature = "comfyui", feature = "gradio", feature = "litellm"))]
mod form;
#[cfg(feature = "gradio")]
pub mod gradio;
pub mod line;
#[cfg(feature = "litellm")]
pub mod litellm;
#[cfg(any(feature = "comfyui", feature = "gradio"))]
mod png;
pub mod proxy;
pub mod server;
#[cfg(feature = "wan2gp")]
pub mod wan2gp;

pub use fault::{Act, Rule};
pub use proxy::FaultProxy;
pub use server::{App, Body, Seen, SimServer};
