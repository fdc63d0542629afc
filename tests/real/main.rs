//! The library over real servers, killed, stopped and started again. What is not installed is skipped loudly.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(clippy::print_stderr, reason = "a skip is seen")]

mod comfyui;
#[path = "../discovery/decoy.rs"]
mod decoy;
mod discovery;
mod gradio;
mod litellm;
mod matrix;
mod nginx;
mod pools;
#[path = "../lib/port.rs"]
mod port;
mod promises;
mod server;
mod story;
mod wan2gp;
