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
mod gauge;
mod group;
#[cfg(feature = "state")]
mod keep;
mod labour;
mod moment;
mod moot;
mod page;
#[cfg(feature = "state")]
mod table;
mod toll;
mod version;
pub(crate) mod watch;
mod watched;
pub(crate) mod webhook;

pub(crate) use self::toll::Toll;
#[cfg(feature = "cli")]
pub(crate) use self::version::vulnerable as holes;
pub use self::{
    desk::{Desk, Wanted},
    draft::Draft,
    group::Mute,
    page::{Advice, Page},
};
