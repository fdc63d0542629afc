//! OTP-style supervision trees on [ractor](ractor).
//!
//! ractor gives actors, links and supervision *events*; what to do about them it leaves to you. This crate does it the
//! way OTP does: a supervisor owns an ordered list of children, starts them from left to right, stops them from right
//! to left, restarts what crashed by a strategy, and gives up, upwards, when restarting does not help. It adds what
//! long-running programs want beside that: restart backoff with jitter, **quarantine** (a child that keeps crashing is
//! set aside instead of bringing its parent down), and a tree that can be looked at.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use std::time::Duration;
//! use backline_supervisors::{Branch, Bus, ChildSpec, Restart, Strategy, SupervisorSpec};
//! use ractor::{Actor, ActorProcessingErr, ActorRef};
//!
//! #[derive(Clone)]
//! struct Worker;
//! impl Actor for Worker {
//!     type Msg = ();
//!     type State = ();
//!     type Arguments = ();
//!     async fn pre_start(&self, _: ActorRef<()>, _: ()) -> Result<(), ActorProcessingErr> { Ok(()) }
//!     async fn handle(&self, _: ActorRef<()>, _: (), _: &mut ()) -> Result<(), ActorProcessingErr> {
//!         panic!("a bug")
//!     }
//! }
//!
//! let bus = Bus::new();
//! let mut events = bus.events();
//! let spec = SupervisorSpec::new("root")
//!     .strategy(Strategy::OneForOne)
//!     .child(ChildSpec::actor("left", || (Worker, ())))
//!     .child(ChildSpec::actor("right", || (Worker, ())).restart(Restart::Transient));
//! let root = Branch::new(&bus, spec).start_root().await.expect("two workers start");
//!
//! while root.cell("left").is_none() {
//!     events.recv().await.expect("the tree tells what happens");
//! }
//! root.cell("left").expect("it runs").send_message(()).expect("it takes the message that kills it");
//! while root.snapshot().child("left").is_none_or(|left| left.restarts == 0 || !left.is_running()) {
//!     events.recv().await.expect("the tree tells what happens");
//! }
//! assert_eq!(root.snapshot().child("right").expect("it was not touched").restarts, 0);
//! assert!(root.shutdown(Duration::from_secs(1)).await.clean);
//! # }
//! ```
//!
//! | promise | how |
//! |---|---|
//! | a slow start makes nobody deaf | starts run in tasks that the supervisor owns, with a deadline |
//! | a failed start counts like a crash | ractor raises no event for a failing `pre_start`; the start task reports it |
//! | a killed child is restarted | ractor reports a kill as a clean end; [`Exit`] tells them apart |
//! | a late event of a former incarnation changes nothing | every internal message carries the incarnation |
//! | a child removed while it waits for its restart stays gone | waiting is a state of the table, not a timer on the loose |
//! | a duplicate id is refused and harms nobody | the table is asked before anything starts |
//! | one fault counts once | under `one_for_all` and `rest_for_one` the siblings' ends belong to the restart |
//! | stopping runs every child's `post_stop` | ractor kills the children of a parent that ends; here the parent waits for them |
//! | dropping the root leaves no task | the drop kills the tree |
//!
//! What differs from Erlang: a supervisor never blocks while a child starts, so a caller that wants to know waits for
//! the event; there is no `significant` child; a delay before a restart is allowed.
//!
//! Requires `panic = "unwind"`: with `abort` there is nobody left to restart anything.

mod address;
mod branch;
mod bus;
mod delay;
mod down;
mod error;
mod exit;
mod intensity;
mod policy;
mod report;
mod root;
mod row;
mod shell;
mod snapshot;
mod spec;
mod start;
mod table;
mod watch;

pub use branch::Branch;
pub use bus::{Bus, TreeEvent, TreeEventKind};
pub use delay::RestartDelay;
pub use down::{Down, Next};
pub use error::SupervisorError;
pub use exit::{Exit, ExitKind};
pub use intensity::Intensity;
pub use policy::{OnIntensity, Restart, Strategy};
pub use report::{GaveUp, ShutdownReport};
pub use root::RootHandle;
pub use snapshot::{NodeState, TreeSnapshot};
pub use spec::{ChildSpec, SupervisorSpec};
pub use start::{StartContext, StartError};
pub use watch::TreeWatch;
