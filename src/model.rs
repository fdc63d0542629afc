//! The words of Backline as plain data: what a snapshot shows, what an event carries, what a caller submits.
//!
//! Nothing here does I/O, reads a clock or knows a protocol. Everything that leaves the library is `Clone`,
//! `Serialize` and, where it may grow, `#[non_exhaustive]`.

pub mod capability;
pub mod code;
pub mod epoch;
pub mod event;
pub mod fault;
pub mod id;
pub mod identity;
pub mod job;
pub mod kind;
pub mod notice;
pub mod phase;
pub mod snapshot;
pub mod status;
pub mod work;

pub use capability::Capability;
pub use code::{Class, Code};
pub use epoch::Epoch;
pub use event::{Event, EventBody};
pub use fault::Fault;
pub use id::{BackendId, IdError};
pub use identity::{Depth, Evidence, Identity, Names, Signature};
pub use job::{JobId, JobState, JobStatus, OutputFile, Progress};
pub use kind::Kind;
pub use notice::{Notice, NoticeId, Severity};
pub use phase::{Channel, Health, Phase};
pub use snapshot::{Overall, PoolStatus, RouteStatus, Snapshot};
pub use status::{BackendStatus, Breaker, RootCause};
pub use work::Work;
