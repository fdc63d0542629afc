//! One script against each simulated backend and its real counterpart: the normalised traces are equal.
//!
//! A trace of the real server is committed for each version. The simulation is compared with it always, the real
//! server where one is installed.
#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(unreachable_pub, reason = "nothing here is public: it is a test")]
#![allow(clippy::print_stderr, reason = "a skip is seen")]

#[path = "parity/comfyui.rs"]
mod comfyui;
#[path = "parity/golden.rs"]
mod golden;
#[path = "parity/gradio.rs"]
mod gradio;
#[path = "parity/litellm.rs"]
mod litellm;
#[path = "lib/port.rs"]
mod port;
#[path = "parity/wan2gp.rs"]
mod wan2gp;
