//! One backend's connection: a pure machine that decides, an actor that carries it out, a link task that dials and
//! watches, and the slot that outlives them.
//!
//! ```text
//!           Dial                        Dialed(ok)
//!   Idle ---------> Dialing{epoch} ------------------> Ready{session, doubt}
//!     ^                 | Dialed(fault)                    | Lost / Silent past its limit      | Drain
//!     | Pause           v                                  v                                   v
//!     '---------- Waiting{until, fault} <------------------'                            Draining{deadline} --> Closed
//!                       | the fault is for a person to mend (wrong key, wrong program, bad address)
//!                       v
//!                  Parked{fault}: leaves by a command, or by a slow re-check that finds the cause gone
//! ```

pub(crate) mod actor;
pub(crate) mod alarm;
pub mod backoff;
pub(crate) mod diagnosis;
pub(crate) mod door;
pub(crate) mod ease;
pub(crate) mod endpoint;
pub mod lease;
pub(crate) mod link;
pub mod machine;
pub(crate) mod pace;
pub(crate) mod record;
pub(crate) mod slot;

pub use lease::Lease;
