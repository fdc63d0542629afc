//! Causes and remedies for a person: the catalogue, and the desk where notices are raised and cleared.
//!
//! [`Desk`] is what the parts of Backline hold. Behind it stands a book, pure rules over groups: one cause at one
//! backend is one notice with a count, told at most once in 30 s, closed when its cause is gone.

mod book;
pub mod catalogue;
mod clock;
mod derive;
mod desk;
mod disk;
mod draft;
mod group;
#[cfg(feature = "state")]
mod keep;
mod moment;
#[cfg(feature = "state")]
mod table;
mod version;
pub(crate) mod watch;

pub use self::{
    desk::{Desk, Wanted},
    draft::Draft,
    group::Mute,
};
