//! Causes that are limits of a person's own: `thresholds` of the configuration.

use super::Entry;
use crate::model::{
    Kind::{Comfyui, Gradio, Litellm, Wan2gp},
    Severity::Warning,
};

pub(super) const LATENCY_HIGH: Entry = Entry::new(
    "It answers slowly",
    Warning,
    &["The server or its machine is busy.", "The network between is slow."],
    "Look at the server's load and at the network; `thresholds: (latency: …)` is the limit.",
)
.steps(&[
    "Compare with its history in the dashboard: since when, and at which load.",
    "Raise `thresholds: (latency: …)` if this is what it always takes.",
]);

pub(super) const QUEUE_LONG: Entry = Entry::new(
    "Its queue is long",
    Warning,
    &["More work comes than it can do.", "One piece of work takes very long."],
    "Wait, add a backend to the pool, or send less; `thresholds: (queue: …)` is the limit.",
)
.advice(&[
    (Comfyui, "It works on one prompt at a time: a second one on another card doubles it."),
    (Gradio, "A function runs one call at a time unless its author set `concurrency_limit`."),
    (Litellm, "It queues nothing itself: what waits, waits here for a free slot."),
]);

pub(super) const SUCCESS_LOW: Entry = Entry::new(
    "Many of its checks fail",
    Warning,
    &["The server is overloaded.", "The network between loses packets."],
    "Look at the server's log and load; `thresholds: (success: …)` is the limit, in per cent.",
);

pub(super) const VRAM_LOW: Entry = Entry::new(
    "Its card has little memory left",
    Warning,
    &["Models fill the card.", "Another program uses it."],
    "Unload models, or close what else uses the card; `thresholds: (vram_free: …)` is the limit.",
)
.steps(&["Look at what holds the card: `nvidia-smi`."])
.advice(&[
    (Comfyui, "`POST /free` with `unload_models` frees its models."),
    (Wan2gp, "Its memory profile (`--profile`) decides how much it keeps on the card."),
]);
