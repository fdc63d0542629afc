//! What a caller submits.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    jobs::{
        inputs::Paths,
        machine::{Keep, Rerun, Terms},
    },
    model::{Code, Fault, Work},
};

/// One piece of work for a backend or a capability.
///
/// `{"$file": PATH}` in the arguments of a function, in the settings of a generation, or in place of an image's name in
/// the inputs of a workflow stands for a file of at most 8 GiB. With a state directory it is copied there when the job
/// is accepted, so that what becomes of the original changes nothing; `{"$file": PATH, "name": NAME}` also says what the
/// backend shall call it.
#[derive(Debug, Clone)]
pub struct Job {
    pub(crate) target: String,
    pub(crate) work: Result<Work, Fault>,
    pub(crate) save_to: Option<PathBuf>,
    pub(crate) key: Option<String>,
    pub(crate) terms: Terms,
    pub(crate) paths: Paths,
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

    /// A body of `/v1/images/generations`; each picture becomes a file, so it needs a place for files:
    /// [`Self::save_to`], or a state directory.
    pub fn image(target: impl Into<String>, body: impl Serialize) -> Self {
        Self::new(target, raw(&body).map(Work::Image))
    }

    /// The fields of `/v1/audio/transcriptions`, the audio as `"file": {"$file": PATH}`.
    pub fn transcribe(target: impl Into<String>, fields: impl Serialize) -> Self {
        Self::new(target, raw(&fields).map(Work::Transcribe))
    }

    /// Where its files are saved. Without it they go to the state directory, and where there is none they are not fetched.
    #[must_use]
    pub fn save_to(mut self, directory: impl Into<PathBuf>) -> Self {
        self.save_to = Some(directory.into());
        self
    }

    /// A name for this request, chosen by the caller: asked again with it, the first job answers, also after its end.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// When it may be sent a second time by itself. Default [`Rerun::IfProvenAbsent`].
    #[must_use]
    pub fn rerun(mut self, rerun: Rerun) -> Self {
        self.terms.rerun = rerun;
        self
    }

    /// Higher goes first among those that wait for the same target. Default 0.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.terms.priority = priority;
        self
    }

    /// How long it may wait for a backend, from acceptance on; then it has failed and never ran. Default: without limit.
    #[must_use]
    pub fn time_to_live(mut self, limit: Duration) -> Self {
        self.terms.ttl = Some(limit);
        self
    }

    /// How long it may take in all, from acceptance on; then it is cancelled and has failed. Default: without limit.
    #[must_use]
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.terms.deadline = Some(limit);
        self
    }

    /// After how many deaths of its backend under it the job is held; `None` never. Default 2.
    #[must_use]
    pub fn hold_after(mut self, deaths: Option<u32>) -> Self {
        self.terms.hold_after = deaths;
        self
    }

    /// What is kept of it after its end. Default [`Keep::All`].
    #[must_use]
    pub fn keep(mut self, keep: Keep) -> Self {
        self.terms.keep = keep;
        self
    }

    fn new(target: impl Into<String>, work: Result<Work, Fault>) -> Self {
        Self {
            target: target.into(),
            work,
            save_to: None,
            key: None,
            terms: Terms::default(),
            paths: Paths::default(),
        }
    }
}

fn raw(value: &impl Serialize) -> Result<Arc<RawValue>, Fault> {
    to_raw_value(value)
        .map(Arc::from)
        .map_err(|e| Fault::new(Code::BadRequest, format!("the work cannot be written as JSON: {e}")))
}
