//! Work that may outlive a connection: requests, what is known of each, and the driver that sees them to an end.
//!
//! With a state directory, accepted means on disk: a job survives a lost socket, a restarted backend, and the end of the
//! process. Without one jobs are kept in memory and end with it.

pub(crate) mod actor;
pub(crate) mod board;
mod budget;
mod clock;
mod crew;
pub(crate) mod drive;
mod ear;
mod errand;
mod handle;
pub(crate) mod inputs;
pub(crate) mod intake;
pub(crate) mod journal;
pub mod machine;
pub(crate) mod outputs;
pub(crate) mod page;
mod request;
pub(crate) mod setup;
pub(crate) mod shelf;
mod submitted;
mod upkeep;

pub use handle::JobHandle;
pub use machine::{Keep, Rerun};
pub use page::{Page, Selection};
pub use request::Job;
pub use submitted::{Receipt, Submitted};
