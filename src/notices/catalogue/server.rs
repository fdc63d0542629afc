//! Causes that a server shows by what it answers, or by what it is.

use super::Entry;
use crate::model::{
    Kind::{Comfyui, Gradio, Litellm, Openai, Wan2gp},
    Severity::{Error, Info, Warning},
};

pub(super) const WRONG_PROGRAM: Entry = Entry::new(
    "Another program answers there",
    Error,
    &[
        "The port belongs to another server: the message names it where it shows what it is.",
        "The server is of another kind than `kind` says.",
        "A path before the server is missing in `url`.",
    ],
    "Correct `url` or `kind`; `backline discover` lists what runs where.",
)
.steps(&[
    "Run `backline discover`: it lists what runs where, by what it answers.",
    "If the server moved, correct `url`; if it is of another kind, correct `kind`.",
    "If another program took the port, stop it, or start the server on another port.",
])
.advice(&[
    (
        Litellm,
        "A server that is compatible and no LiteLLM (vLLM, Ollama, llama.cpp, LM Studio) is `kind: openai`.",
    ),
    (Openai, "A port of 8000 is vLLM's default, and WanGP's MCP server's, too."),
    (Wan2gp, "Its page and its MCP server are both found; any other Gradio app is `kind: gradio`."),
]);

pub(super) const VERSION_UNSUPPORTED: Entry = Entry::new(
    "The server's version is too old",
    Error,
    &["It speaks an older protocol, which Backline does not."],
    "Update the server to the version that the message names.",
)
.steps(&["Update the server, then restart it; Backline connects by itself."])
.advice(&[
    (Gradio, "Gradio 4.44 and newer are supported; `pip install --upgrade gradio` in the app's environment."),
    (Wan2gp, "Update WanGP: it pins the Gradio that it needs."),
]);

pub(super) const VERSION_OLD: Entry = Entry::new(
    "Its version is older than any tried here",
    Warning,
    &["The server was not updated for a long time."],
    "Update the server; until then, what it does not answer as newer ones do may fail or be shown wrong.",
)
.steps(&[
    "Look at the message: it names the oldest version that Backline is tried with.",
    "Update the server to that version or a later one, and start it again.",
    "If it works well as it is, mute this notice.",
]);

pub(super) const VERSION_VULNERABLE: Entry = Entry::new(
    "The server's version has known security holes",
    Warning,
    &["It is older than the release that closes them."],
    "Update the server to the version that the message names; until then let only trusted machines reach it.",
)
.steps(&[
    "Let the server listen on 127.0.0.1 only until it is updated.",
    "Update it to the version that the message names, or newer, and restart it.",
])
.advice(&[(
    Wan2gp,
    "It pins Gradio 5.29.0, which has these holes: keep it on this machine alone until WanGP brings another.",
)]);

pub(super) const AUTH_REQUIRED: Entry = Entry::new(
    "It wants a key or a log-in",
    Error,
    &["The server is protected, and no key or log-in is configured.", "A proxy before it wants one."],
    "Set `api_key: \"env:NAME\"` (or `login: (\"USER\", \"env:NAME\")` for a Gradio app).",
)
.steps(&[
    "Put the key into a variable, or a file that you alone can read.",
    "Refer to it: `api_key: \"env:NAME\"` or `api_key: \"file:PATH\"`.",
    "Run `backline test ID`: the stage `auth` says whether it is right.",
])
.advice(&[
    (Litellm, "It is the `master_key` of LiteLLM's own configuration, or a virtual key. Without its database module LiteLLM answers a missing key with a bare 500."),
    (Gradio, "An app with `auth=` wants `login: (\"USER\", \"env:NAME\")`; it takes no key."),
    (Comfyui, "ComfyUI has no log-in of its own: what wants one is a proxy; put what it wants into `headers`."),
]);

pub(super) const AUTH_WRONG: Entry = Entry::new(
    "The key or log-in is refused",
    Error,
    &["It is wrong, expired or revoked.", "It is for another server."],
    "Correct `api_key` or `login`; then `backline test ID`.",
)
.steps(&[
    "See which variable or file the key comes from: `backline config show`.",
    "Put the right one there: the key alone, without quotes or a line break.",
    "Run `backline test ID`, or `reconnect`; it is tried again by itself after a while, too.",
])
.advice(&[(
    Litellm,
    "`No connected db.` means that LiteLLM has no database, so only its master key can be right.",
)]);

pub(super) const FORBIDDEN: Entry = Entry::new(
    "The server refuses this client",
    Error,
    &[
        "A rule of the server or of a proxy before it forbids the request.",
        "The account at the provider has no right to it, or no money left.",
    ],
    "Check the server's allowed hosts and origins, and the proxy's rules.",
)
.steps(&[
    "Look at the server's log: it names the rule.",
    "Reach the server by the name and port that it knows of itself.",
])
.advice(&[(
    Comfyui,
    "It refuses a request whose `Host` and `Origin` differ: a proxy has to pass the Host on as it came.",
)]);

pub(super) const PROTOCOL: Entry = Entry::new(
    "An answer breaks the protocol",
    Error,
    &["The version is unknown to Backline.", "Something between changes the answers."],
    "Update the server or Backline; `--log-format json` with target `wire` shows what came.",
)
.steps(&[
    "Run `backline test ID`: it shows at which stage it happens.",
    "Connect without a proxy, if there is one, to see whether it is the proxy.",
    "Report it with `backline doctor --bundle FILE`.",
]);

pub(super) const TOO_LARGE: Entry = Entry::new(
    "An answer is too large",
    Warning,
    &["The answer is over Backline's cap for its kind."],
    "Ask for less (a smaller workflow, fewer results); the cap protects your machine.",
);

pub(super) const TRUNCATED: Entry = Entry::new(
    "The answer stopped in the middle",
    Warning,
    &["The server broke off.", "The line was cut before the end of the answer; what came is incomplete."],
    "Send it again; look at the server's log for why it stopped.",
);

pub(super) const BACKEND_ERROR: Entry = Entry::new(
    "The server reports an error of its own",
    Error,
    &["Something failed inside the server.", "A provider behind it failed."],
    "Look at the server's log at this time.",
)
.advice(&[(
    Litellm,
    "It answers 500 when the provider behind it fails: the message names the provider's own words.",
)]);

pub(super) const LOADING: Entry = Entry::new(
    "The server is still starting",
    Info,
    &["It loads a model or its program."],
    "Wait; Backline connects by itself when it is ready.",
);

pub(super) const QUEUE_FULL: Entry = Entry::new(
    "Its queue is full",
    Warning,
    &["Others have filled the server's queue.", "Its queue is smaller than what it is given."],
    "Wait, or raise the queue's size at the server.",
)
.steps(&[
    "Nothing is lost: refused work waits here and is offered again.",
    "Raise the size of the server's queue, or lower `limits: (slots: …)` here.",
])
.advice(&[(Gradio, "The size is `demo.queue(max_size=…)`; an app without it takes any number.")]);

pub(super) const RATE_LIMITED: Entry = Entry::new(
    "It limits the rate",
    Warning,
    &["More requests than the server or its provider allows.", "Another client uses the same key."],
    "Wait as long as it says, or raise the limit at the provider.",
)
.steps(&[
    "Nothing is lost: refused work waits as long as the server asks, and is offered again.",
    "Raise the limit at the server or the provider, or lower `limits: (slots: …)` here.",
])
.advice(&[(
    Litellm,
    "Its own limit is `rpm` or `tpm` of a model or a key; `No deployments available` means that all of a model's are resting.",
)]);

pub(super) const OUT_OF_MEMORY: Entry = Entry::new(
    "Out of memory",
    Error,
    &[
        "The work needs more memory than the card has free.",
        "Another program, or another model, holds the card's memory.",
    ],
    "Use a smaller size, batch or model, or close what else uses the card.",
)
.steps(&[
    "Look at what holds the card: `nvidia-smi`.",
    "Close what else uses it, or unload models there.",
    "Use a smaller size, fewer frames, a smaller batch, or a smaller (quantised) model.",
    "Backends that share a card: give them the same `exclusive` name, and they take turns.",
])
.advice(&[
    (Comfyui, "Start it with `--lowvram`, or free its models: `POST /free` with `unload_models`."),
    (Wan2gp, "Choose a lower memory profile (`--profile 4` or 5)."),
    (Openai, "For llama.cpp lower `--n-gpu-layers` or `--ctx-size`; for vLLM `--gpu-memory-utilization` or `--max-model-len`."),
]);

pub(super) const BACKEND_MOVED: Entry = Entry::new(
    "The server seems to have moved",
    Warning,
    &["It does not answer at its configured address, and one like it answers at another."],
    "If it is the same server, set `url` to the address that the message names; Backline never moves a configured backend by itself.",
);

pub(super) const BACKEND_FOUND: Entry = Entry::new(
    "A server was found",
    Info,
    &["It runs on an address that is swept, and no backend is configured for it."],
    "Add it as a backend, or dismiss this; `backline discover` lists what runs where.",
);
