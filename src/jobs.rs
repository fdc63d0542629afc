//! Work that may outlive a connection: requests, what is known of each, and the driver that sees them to an end.
//!
//! Jobs are kept in memory here: they survive a lost socket, a restarted backend and a crashed connection, not the
//! end of the process.

pub(crate) mod actor;
pub(crate) mod board;
pub mod course;
pub(crate) mod drive;
mod handle;
pub mod machine;
pub(crate) mod outputs;
mod request;

pub use handle::JobHandle;
pub use request::Job;
