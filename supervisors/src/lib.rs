//! OTP-style supervision trees on [ractor].
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
//! use backline_supervisors::{ChildSpec, Restart, RootHandle, Strategy, SupervisorSpec};
//! use ractor::{Actor, ActorProcessingErr, ActorRef};
//!
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
//! let spec = SupervisorSpec::new("root")
//!     .strategy(Strategy::OneForOne)
//!     .child(ChildSpec::actor("left", || (Worker, ())))
//!     .child(ChildSpec::actor("right", || (Worker, ())).restart(Restart::Transient));
//! let root = RootHandle::start(spec).await.expect("two workers start");
//! let mut tree = root.watch();
//! tree.wait_for(|tree| tree.children.len() == 2 && tree.children.iter().all(|c| c.is_running())).await;
//!
//! let left = root.cell("left").expect("it runs");
//! left.send_message(()).expect("it takes the message that kills it");
//! let healed = tree.wait_for(|t| t.child("left").is_some_and(|c| c.restarts == 1 && c.is_running())).await;
//! assert_eq!(healed.child("right").expect("it was not touched").restarts, 0);
//! assert!(root.shutdown(Duration::from_secs(1)).await.clean);
//! # }
//! ```
//!
//! A deeper tree has a [`Branch`] for each supervisor and one [`Bus`] for all. A branch is an address: cheap to clone,
//! good across the supervisor's own restarts, and from the root a path such as `backends/comfy-a` reaches below it.
//!
//! ```
//! # use backline_supervisors::{Branch, Bus, ChildSpec, SupervisorError, Strategy, SupervisorSpec};
//! # async fn assemble(wanted: fn() -> Vec<ChildSpec>, jobs: ChildSpec) -> Result<(), SupervisorError> {
//! let bus = Bus::new();
//! let backends = Branch::new(&bus, SupervisorSpec::new("backends").wanted(wanted));
//! let root = SupervisorSpec::new("root").strategy(Strategy::RestForOne).child(backends.child()).child(jobs);
//! let root = Branch::new(&bus, root).start_root().await?;
//! # Ok(()) }
//! ```
//!
//! | promise | what plain ractor does, and what happens here |
//! |---|---|
//! | stopping runs every child's `post_stop` | a parent that ends kills its children; here it stops them in order, and kills who is late |
//! | a killed child is restarted | a kill is reported as a clean end; [`Exit`] tells them apart |
//! | a slow start makes nobody deaf | `pre_start` runs in the spawner; here in a task that the supervisor owns, with a deadline |
//! | a failed start counts like a crash | a failing `pre_start` raises no event; here the start task reports it |
//! | the next incarnation never meets the former one | a crash is told before the state is dropped; here the restart waits for the drop, a second at most |
//! | a start that is given up leaves no actor behind | what was spawned runs on; here it is found and killed |
//! | a late event of a former incarnation changes nothing | every internal message carries an incarnation, and no number is used twice |
//! | a child removed while it waits for its restart stays gone | waiting is a state of the table, not a timer on the loose |
//! | a duplicate id is refused and harms nobody | the table is asked before anything starts; names are not ractor's global ones |
//! | one fault counts once | under `one_for_all` and `rest_for_one` the siblings' ends belong to the restart |
//! | dropping the root leaves no task | a child in its clean-up outlives the kill of its parent; here it is killed, too |
//!
//! What differs from Erlang: a supervisor never blocks while a child starts, so a caller that wants to know waits for
//! the tree to show it; a start that fails at first is restarted like a crash; a delay before a restart is allowed; a
//! child that ended for good stays in the tree, as ended, until it is removed; there is no `significant` child.
//!
//! What it cannot do: end an actor that blocks its thread. Such a one is left behind a second after its kill and
//! reported as [`ExitKind::Abandoned`].
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
