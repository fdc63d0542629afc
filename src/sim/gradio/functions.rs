//! What the app offers, and what its functions want.

use serde_json::{Value, json};

use crate::sim::gradio::{Flavour, Version, envelope::Failure, files::Disk};

/// What a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// A plain function: steps with progress, then a picture and a text.
    Generate,
    /// A generator: a text that grows and a document that changes.
    Stream,
    /// Gives back what it is given.
    Echo,
    /// Gives back a file that was uploaded.
    EchoFile,
    /// Counts its calls in the session's state, and tells of each.
    Count,
    /// Nothing: it is the browser's.
    Browser,
}

/// One function of the app.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    /// Its name; `None` for `api_name=False`.
    pub(super) name: Option<&'static str>,
    pub(super) does: Does,
    /// Components that it reads and writes.
    pub(super) inputs: &'static [u64],
    pub(super) outputs: &'static [u64],
    /// The parameters' names.
    pub(super) parameters: &'static [&'static str],
    /// Calls of one group share a slot.
    pub(super) group: &'static str,
    pub(super) queued: bool,
}

const PROMPT: &[&str] = &["prompt", "steps"];
const START: &[&str] = &["prompt", "steps", "image_start", "model_type"];

const fn offer(
    name: Option<&'static str>,
    does: Does,
    inputs: &'static [u64],
    outputs: &'static [u64],
) -> Offer {
    let parameters = match does {
        Does::Generate => START,
        Does::Stream => PROMPT,
        Does::Echo | Does::EchoFile | Does::Count => &["x"],
        Does::Browser => &[],
    };
    let group = match does {
        Does::Generate | Does::Stream => "gpu",
        _ => "",
    };
    Offer { name, does, inputs, outputs, parameters, group, queued: !matches!(does, Does::Browser) }
}

/// The app of the recordings.
const PLAIN: [Offer; 9] = [
    offer(Some("generate"), Does::Generate, &[2, 3, 4, 5], &[6, 7]),
    offer(Some("stream"), Does::Stream, &[2, 3], &[7, 8]),
    offer(None, Does::Echo, &[2], &[7]),
    offer(Some("noop"), Does::Echo, &[2], &[7]),
    offer(Some("fileecho"), Does::EchoFile, &[10], &[10]),
    Offer { queued: false, ..offer(Some("unqueued"), Does::Echo, &[2], &[7]) },
    offer(Some("unnamed"), Does::Browser, &[], &[]),
    offer(Some("unnamed_1"), Does::Browser, &[], &[]),
    offer(Some("count"), Does::Count, &[1, 2], &[1, 7]),
];

/// Names as WanGP's page has them: each handler's own.
const WANGP: [Offer; 6] = [
    offer(Some("generate_video"), Does::Generate, &[2, 3, 4, 5], &[6, 7]),
    offer(Some("process_tasks"), Does::Stream, &[2, 3], &[7, 8]),
    offer(Some("init_generate"), Does::Echo, &[2], &[7]),
    offer(Some("load_queue_action"), Does::EchoFile, &[10], &[10]),
    offer(Some("abort_generation"), Does::Echo, &[2], &[7]),
    // Reads the session's state beside what the caller gives.
    offer(Some("save_inputs"), Does::Echo, &[1, 2], &[7]),
];

/// The functions of an app.
pub(super) const fn offers(flavour: Flavour) -> &'static [Offer] {
    match flavour {
        Flavour::Plain => &PLAIN,
        Flavour::WanGp => &WANGP,
    }
}

impl Offer {
    /// The name by which the ledger and errors know it.
    pub(super) fn title(&self) -> &'static str {
        self.name.unwrap_or("noop")
    }

    /// Whether there are enough values.
    pub(super) fn check(&self, given: &[Value]) -> Result<(), Failure> {
        if self.does == Does::Browser {
            return Err(Failure::Crashed("function has no backend method.".to_owned()));
        }
        let (wanted, got) = (self.inputs.len(), given.len());
        if got >= wanted {
            return Ok(());
        }
        let code = match self.does {
            Does::Generate => "generate",
            Does::Stream => "stream",
            Does::Count => "count",
            _ => "noop",
        };
        Err(Failure::Crashed(format!(
            "An event handler ({code}) didn't receive enough input values (needed: {wanted}, got: {got}).\n\
             Check if the event handler calls a Javascript function, and make sure its return value is correct."
        )))
    }
}

/// A file that is given to a function: one that was uploaded, or an error.
pub(super) fn given_file(given: &Value, disk: &Disk, version: Version) -> Result<Option<String>, Failure> {
    let Some(path) = given.get("path").and_then(Value::as_str) else { return Ok(None) };
    if disk.size(path).is_some() {
        return Ok(Some(path.to_owned()));
    }
    Err(Failure::Crashed(match version {
        Version::V4_44_1 => format!("File {path} is not in the upload folder and cannot be accessed."),
        _ => format!("Cannot move {path} to the gradio cache dir because it was not uploaded by a user."),
    }))
}

/// What a step of the generator yields.
pub(super) fn yielded(step: u64) -> Value {
    let text: String = (0..=step).map(|i| format!("{i} ")).collect();
    let hist: Vec<u64> = (0..=step).collect();
    json!([format!("Status: {text}"), {"step": step, "phase": "denoise", "hist": hist}])
}
