//! Finds backends by what they answer, not by the port that they listen on.
//!
//! A sweep knocks on the known ports of this machine, and on what else is configured or asked for, and puts a few
//! harmless questions to whatever answers there: one `GET` a path, without a key, never one that generates. What
//! becomes of a [`Find`] is not decided here.

mod find;
mod host;
mod port;
mod scope;

pub use find::{Find, Need};
pub use host::Host;
pub use port::{KNOWN, PortRange};
pub use scope::Scope;
