//! Pools: sets of interchangeable backends with one wait queue each. A backend by its id is a pool of one, a capability
//! is a pool of all that have it.
//!
//! ```text
//!   Handle::lease, a job's search
//!        | Ask                                   published by the pool's actor
//!        v                                              |
//!     Route --- pick of two: free slots, weight, warmth --- Member ... Member
//!        |                                                    |
//!        | nothing free                                 Seats (one atomic word a backend)
//!        v                                                    |
//!      Line: by priority, then by age  <---- a slot came free, a door opened
//! ```
//!
//! On the path of a request there is no mailbox, no lock and no allocation; who has to wait takes one lock to join the
//! line, and gets the slot handed over by whoever gives one back.

pub(crate) mod actor;
mod ask;
mod breaker;
pub(crate) mod budget;
pub(crate) mod card;
mod figures;
pub(crate) mod line;
mod member;
pub(crate) mod outcome;
pub(crate) mod pass;
mod pick;
pub(crate) mod plan;
pub(crate) mod route;
pub(crate) mod seats;
mod standing;
mod status;
pub(crate) mod stir;
mod ties;
pub(crate) mod traffic;
mod waiters;

pub use ask::{Ask, Kinds};
pub(crate) use ask::{Life, Purpose, Since};
