//! Causes of work that cannot be done, or of which nobody knows whether it was.

use super::Entry;
use crate::model::{
    Kind::{Comfyui, Gradio, Litellm, Openai, Wan2gp},
    Severity::{Error, Info, Warning},
};

pub(super) const BAD_REQUEST: Entry = Entry::new(
    "The request is wrong",
    Error,
    &["A parameter is missing, misspelt or of the wrong form."],
    "Correct what the message names; nothing was run.",
);

pub(super) const INVALID_WORKFLOW: Entry = Entry::new(
    "ComfyUI refuses the workflow",
    Error,
    &[
        "An input is missing or out of its range.",
        "A link leads to a node that is not there, or nothing is saved.",
    ],
    "Correct the nodes that are named; nothing was run.",
)
.steps(&["Read the detail: it names each node with what is wrong.", "Correct it, and submit it again."]);

pub(super) const MISSING_NODE: Entry = Entry::new(
    "A node is missing on this server",
    Error,
    &[
        "The workflow uses a custom node that is not installed there.",
        "The custom node is installed and failed to load: ComfyUI's log says so at its start.",
    ],
    "Install the custom node that the message names, restart ComfyUI, and submit it again; nothing was run.",
)
.steps(&[
    "Find who makes the node: the workflow's author says so, or ComfyUI-Manager's `Install Missing Custom Nodes`.",
    "Look at whom you trust: a custom node is a program that runs with ComfyUI's rights.",
    "Install it, restart ComfyUI, and submit the work again (`backline jobs retry ID`).",
])
.advice(&[(Comfyui, "`IMPORT FAILED` in its log names a node that is installed and lacks something.")]);

pub(super) const MISSING_MODEL: Entry = Entry::new(
    "A model is missing on this server",
    Error,
    &[
        "The model's file is not on this server, or lies in another folder.",
        "The name in the request is misspelt, or the server calls it otherwise.",
    ],
    "Put the model where the server looks for it, or choose one of those that the message lists; nothing was run.",
)
.steps(&[
    "Compare the name with those that the server has: the message lists them.",
    "Bring the model to the server, or change the name in the request.",
    "Submit it again; for ComfyUI no restart is needed.",
])
.advice(&[
    (Comfyui, "Models lie below `models/` by their type (`checkpoints`, `loras`, `vae`); other places stand in `extra_model_paths.yaml`."),
    (Litellm, "The names are those of `model_list` in LiteLLM's configuration, not the provider's."),
    (Openai, "For Ollama: `ollama pull NAME`."),
    (Wan2gp, "It loads a model's files at first use; a misspelt `model_type` stays missing."),
]);

pub(super) const EDITOR_WORKFLOW: Entry = Entry::new(
    "The workflow is in the editor's format",
    Error,
    &["The file was saved with `Save`, not exported for the API."],
    "In ComfyUI choose Workflow > Export (API) and submit that file.",
);

pub(super) const NOT_FOUND: Entry = Entry::new(
    "The server has no such thing",
    Error,
    &["The name is misspelt.", "This server lacks it."],
    "Choose one of the names that the message lists, or another server.",
)
.advice(&[
    (Gradio, "The names of an app's functions stand on its page under `Use via API`."),
    (Comfyui, "An output can be erased on the server before it was fetched."),
]);

pub(super) const EXECUTION_FAILED: Entry = Entry::new(
    "The work failed on the server",
    Error,
    &["The server ran it and reported an error."],
    "Read its message; correct the input or look at the server's log.",
);

pub(super) const CANCELLED: Entry = Entry::new(
    "The work was cancelled",
    Info,
    &["Somebody cancelled it."],
    "Nothing to do; submit it again if that was a mistake.",
);

pub(super) const LOST: Entry = Entry::new(
    "The server forgot the work",
    Error,
    &["The server was restarted and keeps its queue only in memory.", "It died each time while it ran this."],
    "Submit it again.",
)
.steps(&[
    "Look in the server's log why it ended: a job that kills its server twice is held and not sent again.",
    "`backline jobs retry ID` sends it again.",
]);

pub(super) const JOB_TIMEOUT: Entry = Entry::new(
    "Not done in time",
    Warning,
    &["The work took longer than the deadline that it was given."],
    "Submit it again with a longer deadline, or to a faster server.",
);

pub(super) const EXPIRED: Entry = Entry::new(
    "Not begun in time",
    Warning,
    &["No server was ready, or none had a free slot, while the work was to wait."],
    "Look why no server was ready, or submit it again with a longer time to live.",
);

pub(super) const KEY_CONFLICT: Entry = Entry::new(
    "The key is taken",
    Error,
    &["An earlier submit used the same idempotency key for another request."],
    "Use a new key for new work, or repeat the first request unchanged.",
);

pub(super) const JOURNAL_FULL: Entry = Entry::new(
    "Too many open jobs",
    Error,
    &["More jobs wait or run than are kept at once."],
    "Wait until some have ended, or cancel what is not needed any more.",
);

pub(super) const UNCERTAIN: Entry = Entry::new(
    "Nobody can say whether it ran",
    Warning,
    &["The connection was lost after sending, and this kind of server cannot be asked."],
    "Look at the server for a result before you submit it again.",
)
.advice(&[
    (Gradio, "A plain function runs on when its stream is lost; its result is lost."),
    (Litellm, "The provider may have been paid for it: look at its log before you send it again."),
]);
