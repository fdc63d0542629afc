//! Promises in virtual time: the clock jumps from event to event, and the backends are in memory.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod apply;
mod breaker;
mod detection;
mod endpoint;
mod healing;
mod health;
mod herd;
mod history;
mod leases;
mod needs;
mod notices;
mod pools;
mod reconnect;
mod world;
