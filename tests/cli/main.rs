//! The binary as a person or a script meets it: exit codes, one-line causes, documents.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod bad_input;
mod binary;
mod config;
mod config_move;
mod instance;
mod jobs;
mod offline;
mod pipe;
#[path = "../lib/port.rs"]
mod port;
mod registry;
mod stranger;
mod submit;
