//! What a caller submits.

use std::{path::PathBuf, sync::Arc};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::model::{Code, Fault, Work};

/// One piece of work for a backend or a capability.
#[derive(Debug, Clone)]
pub struct Job {
    pub(crate) target: String,
    pub(crate) work: Result<Work, Fault>,
    pub(crate) save_to: Option<PathBuf>,
}

impl Job {
    /// A ComfyUI workflow in the API's format, for a backend's id or a capability (`workflow.run`).
    pub fn workflow(target: impl Into<String>, graph: impl Serialize) -> Self {
        Self::new(target, raw(&graph).map(Work::Workflow))
    }

    /// A Gradio function by name or index, with its arguments: a list by position or an object by name.
    pub fn call(target: impl Into<String>, function: impl Into<String>, data: impl Serialize) -> Self {
        let function = function.into();
        Self::new(target, raw(&data).map(|data| Work::Call { function, data }))
    }

    /// The settings of a WanGP generation (`model_type`, `prompt`, …), for a backend's id or a capability
    /// (`video.generate`); `{"$file": PATH}` in them is uploaded.
    pub fn generate(target: impl Into<String>, settings: impl Serialize) -> Self {
        Self::new(target, raw(&settings).map(Work::Generate))
    }

    /// A body of `/v1/chat/completions`; it is streamed, whatever its `stream` says.
    pub fn chat(target: impl Into<String>, body: impl Serialize) -> Self {
        Self::new(target, raw(&body).map(Work::Chat))
    }

    /// A body of `/v1/embeddings`.
    pub fn embed(target: impl Into<String>, body: impl Serialize) -> Self {
        Self::new(target, raw(&body).map(Work::Embed))
    }

    /// Where its files are saved. Without it they are not fetched.
    #[must_use]
    pub fn save_to(mut self, directory: impl Into<PathBuf>) -> Self {
        self.save_to = Some(directory.into());
        self
    }

    fn new(target: impl Into<String>, work: Result<Work, Fault>) -> Self {
        Self { target: target.into(), work, save_to: None }
    }
}

fn raw(value: &impl Serialize) -> Result<Arc<RawValue>, Fault> {
    to_raw_value(value)
        .map(Arc::from)
        .map_err(|e| Fault::new(Code::BadRequest, format!("the work cannot be written as JSON: {e}")))
}
