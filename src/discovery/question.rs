//! What a stranger is asked. Each is a `GET` that costs nothing and changes nothing; the one `POST` is MCP's greeting,
//! and is sent only to a server that answered in MCP's language before.

use bytes::Bytes;
use http::Method;

/// Most that is read of an answer that names a program.
const SMALL: usize = 256 * 1024;
/// Most that is read of an answer that lists things: `/config` of an app with a hundred models is megabytes.
const LARGE: usize = 8 * 1024 * 1024;

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// The first page, for hints.
    Root,
    /// ComfyUI.
    SystemStats,
    /// Gradio.
    Config,
    /// A Gradio 5 or 6 behind its log-in.
    AppId,
    /// A Gradio 4 behind its log-in.
    OldAppId,
    /// LiteLLM.
    Liveliness,
    /// Any server that speaks OpenAI's protocol.
    Models,
    /// Ollama's version.
    OllamaVersion,
    /// vLLM's version.
    VllmVersion,
    /// llama.cpp's version.
    Props,
    /// MCP over HTTP.
    Mcp,
    /// MCP's greeting.
    Greeting,
}

impl Question {
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::SystemStats => "/system_stats",
            Self::Config => "/config",
            Self::AppId => "/gradio_api/app_id",
            Self::OldAppId => "/app_id",
            Self::Liveliness => "/health/liveliness",
            Self::Models => "/v1/models",
            Self::OllamaVersion => "/api/version",
            Self::VllmVersion => "/version",
            Self::Props => "/props",
            Self::Mcp | Self::Greeting => "/mcp/",
        }
    }

    pub(crate) const fn method(self) -> Method {
        if matches!(self, Self::Greeting) { Method::POST } else { Method::GET }
    }

    /// With `text/event-stream` among them a `GET` of MCP's would open a stream.
    pub(crate) const fn accept(self) -> &'static str {
        match self {
            Self::Root => "text/html, text/plain;q=0.9",
            Self::Greeting => "application/json, text/event-stream",
            _ => "application/json",
        }
    }

    pub(crate) fn body(self) -> Bytes {
        match self {
            #[cfg(feature = "wan2gp")]
            Self::Greeting => crate::backends::wan2gp::greeting::Greeting::question().unwrap_or_default(),
            _ => Bytes::new(),
        }
    }

    /// Most that is read of its answer.
    pub(crate) const fn cap(self) -> usize {
        if matches!(self, Self::Config | Self::Models) { LARGE } else { SMALL }
    }
}
