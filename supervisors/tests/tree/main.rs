//! Whole trees, with real actors and a paused clock.

#![allow(clippy::unwrap_used, reason = "a test")]

mod edges;
mod promises;
mod rig;
