//! Every cause of the catalogue, produced: by the real cause, or by what the real server answered. The remedy is
//! followed where it can be.
#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(clippy::print_stderr, reason = "a skip is seen")]

mod bundle;
mod own;
mod pages;
mod place;
#[path = "../lib/port.rs"]
mod port;
mod reach;
mod server;
mod table;
mod tls;
mod webhook;
mod work;
