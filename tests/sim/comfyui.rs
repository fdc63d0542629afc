//! ComfyUI's session against the simulated server.

mod fate;
mod jobs;
mod rig;
mod wire;
