//! Which protocol a backend speaks.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which protocol a backend speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// ComfyUI: HTTP and a WebSocket.
    Comfyui,
    /// Any Gradio app, 4 to 6: HTTP and server-sent events.
    Gradio,
    /// Wan2GP: a Gradio app or, started with `--mcp`, an MCP server; the connection finds out which.
    Wan2gp,
    /// A LiteLLM proxy: the OpenAI protocol with health routes of its own.
    Litellm,
    /// Any other OpenAI-compatible server.
    Openai,
}

impl Kind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Comfyui, Self::Gradio, Self::Wan2gp, Self::Litellm, Self::Openai];

    /// The name in the configuration and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Comfyui => "comfyui",
            Self::Gradio => "gradio",
            Self::Wan2gp => "wan2gp",
            Self::Litellm => "litellm",
            Self::Openai => "openai",
        }
    }

    /// The name that people use.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Comfyui => "ComfyUI",
            Self::Gradio => "Gradio",
            Self::Wan2gp => "Wan2GP",
            Self::Litellm => "LiteLLM",
            Self::Openai => "OpenAI-compatible server",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
