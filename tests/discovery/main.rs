//! Discovery over real sockets: what is a backend is found as what it is, and nothing else is, whatever it does.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod decoy;
mod documented;
mod finds;
mod loopback;
mod manners;
