//! What a caller wants done.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::Capability;

/// One piece of work, kept as the JSON that the caller gave: the backend's own folder gives it a type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Work {
    /// A ComfyUI workflow in the API's format.
    Workflow(Arc<RawValue>),
    /// A Gradio function by name or index, with its arguments: a list by position or an object by name.
    Call {
        /// With or without the slash; a number is an index.
        function: String,
        /// The arguments.
        data: Arc<RawValue>,
    },
    /// The settings of a WanGP generation: one task, a list of tasks, or a manifest.
    Generate(Arc<RawValue>),
    /// A body of `/v1/chat/completions`.
    Chat(Arc<RawValue>),
    /// A body of `/v1/embeddings`.
    Embed(Arc<RawValue>),
    /// A body of `/v1/images/generations`; its pictures become files.
    Image(Arc<RawValue>),
    /// The fields of `/v1/audio/transcriptions`, the audio as `"file": {"$file": PATH}`.
    Transcribe(Arc<RawValue>),
}

impl Work {
    /// The name of the kind of work in the API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Workflow(_) => "workflow",
            Self::Call { .. } => "call",
            Self::Generate(_) => "generate",
            Self::Chat(_) => "chat",
            Self::Embed(_) => "embed",
            Self::Image(_) => "image",
            Self::Transcribe(_) => "transcribe",
        }
    }

    /// The document that the caller gave, and its name in a request.
    pub(crate) fn document(&self) -> (&'static str, &Arc<RawValue>) {
        match self {
            Self::Workflow(raw) => ("workflow", raw),
            Self::Call { data, .. } => ("data", data),
            Self::Generate(raw) => ("generate", raw),
            Self::Chat(raw) => ("chat", raw),
            Self::Embed(raw) => ("embed", raw),
            Self::Image(raw) => ("image", raw),
            Self::Transcribe(raw) => ("transcribe", raw),
        }
    }

    /// The same work with another document.
    pub(crate) fn with_document(&self, raw: Arc<RawValue>) -> Self {
        match self {
            Self::Workflow(_) => Self::Workflow(raw),
            Self::Call { function, .. } => Self::Call { function: function.clone(), data: raw },
            Self::Generate(_) => Self::Generate(raw),
            Self::Chat(_) => Self::Chat(raw),
            Self::Embed(_) => Self::Embed(raw),
            Self::Image(_) => Self::Image(raw),
            Self::Transcribe(_) => Self::Transcribe(raw),
        }
    }

    /// Whether `{"$file": …}` in its document is a file; in a chat it is what the model is told.
    pub(crate) fn takes_files(&self) -> bool {
        !matches!(self, Self::Chat(_) | Self::Embed(_) | Self::Image(_))
    }

    /// The model that it names.
    pub(crate) fn model(&self) -> Option<Arc<str>> {
        #[derive(Deserialize)]
        struct Named {
            #[serde(alias = "model_type")]
            model: Option<String>,
        }
        let body = match self {
            Self::Chat(body) | Self::Embed(body) | Self::Generate(body) => body,
            Self::Image(body) | Self::Transcribe(body) => body,
            Self::Workflow(graph) => return checkpoint(graph),
            Self::Call { .. } => return None,
        };
        // What is not of this form, its backend refuses in its own words.
        serde_json::from_str::<Named>(body.get()).ok()?.model.map(Arc::from)
    }

    /// What a backend has to be able to do for it.
    pub fn needs(&self) -> Capability {
        match self {
            Self::Workflow(_) => Capability::WorkflowRun,
            Self::Call { .. } => Capability::FunctionCall,
            // What a generation makes is its model's matter; every WanGP makes videos.
            Self::Generate(_) => Capability::VideoGenerate,
            Self::Chat(_) => Capability::TextChat,
            Self::Embed(_) => Capability::TextEmbed,
            Self::Image(_) => Capability::ImageGenerate,
            Self::Transcribe(_) => Capability::AudioTranscribe,
        }
    }
}

/// The model that a workflow loads first: what takes most of a card's memory.
fn checkpoint(graph: &RawValue) -> Option<Arc<str>> {
    let graph: serde_json::Value = serde_json::from_str(graph.get()).ok()?;
    let loads = |node: &serde_json::Value| {
        let inputs = node.get("inputs")?;
        ["ckpt_name", "unet_name"].iter().find_map(|name| inputs.get(name)?.as_str().map(Arc::from))
    };
    graph.as_object()?.values().find_map(loads)
}
