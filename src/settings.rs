//! Who decides which backends there are: the configuration's layers while the process runs.
//!
//! One actor owns them: the file, edits through the API, what discovery found. Every change goes the same way: load
//! all layers, validate, compare with what runs, and carry the difference out. What does not differ is left alone.

mod adopt;
mod book;
pub mod change;
pub mod edit;
mod layers;
mod name;
mod place;
mod standing;

pub use book::{Proposal, Why};
pub use change::{Change, Changed, How};
pub use edit::{Edit, Fields};
