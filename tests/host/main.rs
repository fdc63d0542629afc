//! A host that embeds the library, in real time, against simulated servers.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod edits;
mod environment;
mod flood;
mod healing;
mod kinds;
mod notices;
mod settings;
mod shutdown;
mod tasks;
mod world;
