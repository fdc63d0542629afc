//! What a caller wants done.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::model::Capability;

/// One piece of work, kept as the JSON that the caller gave: the backend's own folder gives it a type.
#[derive(Debug, Clone)]
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
        }
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
        }
    }
}
