//! Whole trees, with real actors and a paused clock.

#![allow(clippy::unwrap_used, reason = "a test")]

mod edges;
mod lives;
mod promises;
mod requests;
mod rig;
