//! The state database on a real disk: its files, its fixtures, and what remains after crashes and failing disks.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that fails says why"
)]

mod child;
mod crash;
mod damage;
mod disk;
mod files;
mod model;
mod place;
mod upgrade;
