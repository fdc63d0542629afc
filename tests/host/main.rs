//! A host that embeds the library, in real time, against simulated servers.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod api;
mod blocking;
mod edits;
mod environment;
mod flood;
mod healing;
mod inputs;
mod jobs;
mod kinds;
mod notices;
#[path = "../lib/port.rs"]
mod port;
mod probes;
mod registry;
mod settings;
mod shutdown;
mod swap;
mod tasks;
mod world;
