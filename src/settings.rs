//! Who decides which backends there are: the configuration's layers while the process runs.
//!
//! One actor owns them: the file, edits through the API, what discovery found. Every change goes the same way: load
//! all layers, validate, compare with what runs, and carry the difference out. What does not differ is left alone.

pub(crate) mod actor;
mod adopt;
mod book;
pub mod change;
pub(crate) mod crew;
pub mod edit;
pub(crate) mod fit;
pub(crate) mod layers;
pub(crate) mod masked;
mod name;
pub(crate) mod place;
mod preview;
mod refusal;
pub(crate) mod shelf;
pub(crate) mod standing;
#[cfg(feature = "state")]
mod table;
pub(crate) mod tell;
#[cfg(feature = "cli")]
mod watch;

pub use book::{Proposal, Why};
pub use change::{Change, Changed, How};
pub use edit::{Edit, Fields, Past};
pub use preview::Preview;
