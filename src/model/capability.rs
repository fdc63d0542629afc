//! What a backend can do.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a backend can do; a job may name one instead of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it; the module lists them")]
pub enum Capability {
    #[serde(rename = "text.chat")]
    TextChat,
    #[serde(rename = "text.embed")]
    TextEmbed,
    #[serde(rename = "image.generate")]
    ImageGenerate,
    #[serde(rename = "video.generate")]
    VideoGenerate,
    #[serde(rename = "audio.generate")]
    AudioGenerate,
    #[serde(rename = "audio.convert")]
    AudioConvert,
    #[serde(rename = "audio.transcribe")]
    AudioTranscribe,
    #[serde(rename = "workflow.run")]
    WorkflowRun,
    #[serde(rename = "function.call")]
    FunctionCall,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::TextChat,
        Self::TextEmbed,
        Self::ImageGenerate,
        Self::VideoGenerate,
        Self::AudioGenerate,
        Self::AudioConvert,
        Self::AudioTranscribe,
        Self::WorkflowRun,
        Self::FunctionCall,
    ];

    /// The name in the configuration and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TextChat => "text.chat",
            Self::TextEmbed => "text.embed",
            Self::ImageGenerate => "image.generate",
            Self::VideoGenerate => "video.generate",
            Self::AudioGenerate => "audio.generate",
            Self::AudioConvert => "audio.convert",
            Self::AudioTranscribe => "audio.transcribe",
            Self::WorkflowRun => "workflow.run",
            Self::FunctionCall => "function.call",
        }
    }
}

impl AsRef<str> for Capability {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no capability; they are {known}", known = Capability::ALL.map(Capability::as_str).join(", "))]
pub struct UnknownCapability {
    text: String,
}

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(text: &str) -> Result<Self, UnknownCapability> {
        Self::ALL
            .into_iter()
            .find(|c| c.as_str() == text)
            .ok_or_else(|| UnknownCapability { text: text.chars().take(80).collect() })
    }
}
