//! The sessions of each kind against the simulated backends, over real sockets.
#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(unreachable_pub, reason = "nothing here is public: it is a test")]

mod comfyui;
mod gradio;
mod line;
mod litellm;
mod log;
mod wan2gp;
