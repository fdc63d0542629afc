//! The supervisor: the handle that a host embeds.

pub(crate) mod apply;
mod blocking;
mod builder;
#[cfg(feature = "litellm")]
mod chat;
mod closing;
mod discover;
mod events;
mod handle;
mod lease;
mod notice;
mod preflight;
pub mod probe;
pub mod query;
mod ready;
mod relay;
mod settings;

use std::{ops::Deref, sync::Arc, time::Duration};

use backline_supervisors::{GaveUp, RootHandle};

pub use self::{
    blocking::BlockingSupervisor,
    builder::Builder,
    closing::ShutdownReport,
    events::{Events, Lagged},
    handle::{Force, Handle},
    preflight::Candidate,
    ready::{NotReady, Wanted},
};
use crate::connection::alarm::Task;

/// Keeps the connections of one host. Dropping it ends everything at once and waits for nothing; use
/// [`Self::shutdown`] for an orderly end.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use backline::{Supervisor, config::Config};
///
/// let supervisor = Supervisor::builder().config(Config::new()).start().await?;
/// println!("{:?}", supervisor.snapshot().overall);
/// supervisor.shutdown(std::time::Duration::from_secs(5)).await;
/// # Ok(()) }
/// ```
pub struct Supervisor {
    handle: Handle,
    root: RootHandle,
    _relay: Task,
    _looking: Task,
    _hang_up: HangUp,
}

impl Supervisor {
    /// A supervisor to be.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A cheap, cloneable handle for the parts of a host. It does not keep the supervisor alive.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits until the tree has given up, and says which child brought it down and how. Stays pending otherwise.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn closed(&self) -> GaveUp {
        self.root.closed().await
    }

    /// Takes nothing new, waits at most `grace` for jobs, then closes the connections and stops the tree in order.
    ///
    /// # Cancel safety
    /// Dropping the future ends everything at once.
    pub async fn shutdown(self, grace: Duration) -> ShutdownReport {
        closing::shutdown(self.handle, self.root, grace).await
    }
}

impl Deref for Supervisor {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor")
            .field("snapshot", &self.handle.snapshot().overall)
            .finish_non_exhaustive()
    }
}

/// Ends what the backends' HTTP clients keep open, and says so: a handle that outlives its supervisor would keep the
/// one and show the sessions of old.
struct HangUp {
    roster: Arc<crate::roster::Roster>,
    store: Option<crate::state::Store>,
    jobs: Arc<crate::jobs::shelf::Shelf>,
}

impl Drop for HangUp {
    fn drop(&mut self) {
        for slot in self.roster.slots() {
            slot.hang_up();
        }
        if let Some(store) = &self.store {
            store.hang_up();
        }
        for kept in self.jobs.all() {
            kept.board.left.cancel();
        }
    }
}

/// What the handles of one supervisor share.
pub(crate) struct Core {
    pub(crate) hub: Arc<crate::hub::Hub>,
    pub(crate) roster: Arc<crate::roster::Roster>,
    pub(crate) tree: crate::tree::Tree,
    /// What survives the process; none without a state directory.
    pub(crate) store: Option<crate::state::Store>,
    pub(crate) jobs: crate::jobs::setup::Setup,
    pub(crate) standing: Arc<crate::settings::standing::Standing>,
    pub(crate) desk: crate::notices::Desk,
    pub(crate) lease_timeout: Duration,
    /// Where the user's presets lie, where that is known.
    pub(crate) presets: Option<std::path::PathBuf>,
}
