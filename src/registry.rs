//! Who can do what: each backend's version, capabilities, models, functions and nodes, with what shows it and how old
//! that knowledge is.
//!
//! The connection says what its backend said at the dial; the registry's actor looks the rest up, again after a
//! reconnect and after a request that the backend did not understand. What is known outlives the session and, with a
//! state directory, the process; it stands in the backend's slot, so that the actor can always build its index anew.

pub(crate) mod actor;
pub mod compatibility;
mod entry;
mod index;
pub(crate) mod observed;
mod stock;
pub mod version;
mod watched;
mod wish;

pub use self::{
    compatibility::Compatibility,
    entry::{Entry, Limits, Register, SCHEMA, Standing},
    wish::{Capable, Functions},
};
pub(crate) use self::{observed::Observed, stock::Stock};
