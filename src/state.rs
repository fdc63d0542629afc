//! The state database: what survives the process.
//!
//! One embedded SQLite database in the state directory, opened by one process. A [`Store`] is a cheap handle on it;
//! the work is done by one owner, which commits waiting writes in groups: one transaction, one synchronisation with
//! the disk, all answers. Trouble with the disk is a [`Condition`] that is shown and retried, never a crash.
//!
//! Without the feature `state` there is no way to make a [`Store`], so that an `Option<Store>` is always empty.

mod condition;
mod trouble;

#[cfg(feature = "state")]
pub(crate) mod actor;
#[cfg(feature = "state")]
mod batch;
#[cfg(feature = "state")]
mod bench;
#[cfg(feature = "state")]
pub(crate) mod directory;
#[cfg(feature = "state")]
mod file;
#[cfg(feature = "state")]
mod lock;
#[cfg(feature = "state")]
mod migration;
#[cfg(feature = "state")]
mod open;
#[cfg(feature = "state")]
mod order;
#[cfg(feature = "cli")]
pub(crate) mod peek;
#[cfg(feature = "state")]
mod queue;
#[cfg(feature = "state")]
mod salvage;
#[cfg(feature = "state")]
mod seam;
#[cfg(feature = "state")]
mod serving;
#[cfg(feature = "state")]
mod shared;
#[cfg(feature = "state")]
mod sorting;
#[cfg(feature = "state")]
mod store;
#[cfg(feature = "state")]
mod turn;
#[cfg(feature = "state")]
mod wreck;

#[cfg(feature = "cli")]
pub(crate) use self::lock::holder;
pub use self::{
    condition::{Condition, Opening, Salvaged, SalvagedTable},
    trouble::{Cause, Outcome, Trouble},
};
#[cfg(feature = "state")]
pub use self::{serving::Serving, store::Store};

/// The state database, which this build leaves out: no value of this type exists.
#[cfg(not(feature = "state"))]
#[derive(Debug, Clone)]
pub enum Store {}

#[cfg(not(feature = "state"))]
impl Store {
    /// The condition of the database, as it changes.
    pub fn watch(&self) -> tokio::sync::watch::Receiver<Condition> {
        match *self {}
    }

    /// How many lazy writes were dropped since the start.
    pub fn dropped(&self) -> tokio::sync::watch::Receiver<u64> {
        match *self {}
    }

    pub(crate) fn hang_up(&self) {
        match *self {}
    }
}
