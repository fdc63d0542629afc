//! Fingerprints: from one answer to what it proves. Pure.

#[cfg(feature = "comfyui")]
pub(super) mod comfyui;
#[cfg(feature = "gradio")]
pub(crate) mod gradio;
#[cfg(feature = "wan2gp")]
pub(super) mod mcp;
#[cfg(feature = "litellm")]
pub(super) mod openai;
