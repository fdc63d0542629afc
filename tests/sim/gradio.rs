//! Gradio's session against the simulated app.

mod calls;
mod dial;
mod fate;
mod rig;
