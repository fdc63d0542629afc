//! Who gets what of the HTTP API, and what it costs: raw requests to a server in this process.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod access;
mod api;
mod bounds;
mod config;
mod headers;
mod hostile;
mod mount;
mod readers;
mod sessions;
