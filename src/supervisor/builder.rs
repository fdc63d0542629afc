//! How a supervisor is made.

use std::{sync::Arc, time::Duration};

use backline_supervisors::TreeSnapshot;

use super::{Core, Handle, HangUp, Supervisor, relay};
use crate::{
    config::Config,
    connection::{
        pace::Pace,
        slot::{Dialer, Slot, real_dialer},
    },
    discovery::{Sweep, actor::Setup as DiscoverySetup},
    error::Error,
    hub::Hub,
    notices::Desk,
    roster::Roster,
    state::Store,
    tree::{Parts, Tree},
};

/// How a supervisor is made.
pub struct Builder {
    config: Config,
    lease_timeout: Duration,
    dialer: Dialer,
    world: World,
    #[cfg(feature = "state")]
    state: Keep,
}

/// Which backends there are to find.
#[derive(Clone, Copy, PartialEq, Eq)]
enum World {
    Real,
    /// The protocols were replaced: what runs on this machine is not looked at unasked.
    Virtual,
}

/// Where state is kept.
#[cfg(feature = "state")]
enum Keep {
    Nowhere,
    In(std::path::PathBuf),
    #[cfg(any(test, feature = "sim"))]
    With(Store),
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            config: Config::new(),
            lease_timeout: Duration::from_secs(30),
            dialer: real_dialer(),
            world: World::Real,
            #[cfg(feature = "state")]
            state: Keep::Nowhere,
        }
    }
}

impl Builder {
    /// The backends, and how to treat them.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// How long a lease waits for a ready session with a free slot. Default 30 s.
    #[must_use]
    pub fn lease_timeout(mut self, limit: Duration) -> Self {
        self.lease_timeout = limit;
        self
    }

    /// Keeps state in this directory, which is made where it is missing. Without one nothing survives the process.
    #[cfg(feature = "state")]
    #[must_use]
    pub fn state_dir(mut self, directory: impl Into<std::path::PathBuf>) -> Self {
        self.state = Keep::In(directory.into());
        self
    }

    /// Keeps state in this store: how a test keeps it in memory, and makes the disk fail.
    #[cfg(all(feature = "state", any(test, feature = "sim")))]
    #[must_use]
    pub fn store(mut self, store: Store) -> Self {
        self.state = Keep::With(store);
        self
    }

    /// Replaces the protocols by others: how a test runs connections in virtual time, against no socket. Discovery then
    /// looks only where it is asked to.
    #[must_use]
    pub fn connector(
        mut self,
        make: impl Fn(
            &crate::config::BackendConfig,
        ) -> Result<Arc<dyn crate::backends::Connector>, crate::model::Fault>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.dialer = Arc::new(make);
        self.world = World::Virtual;
        self
    }

    /// Starts the tree in the current tokio runtime and returns at once: connecting goes on by itself.
    ///
    /// # Cancel safety
    /// Dropping the future ends what it started.
    ///
    /// # Errors
    /// [`Error::Setup`] where the tree cannot be started: with `panic = "abort"` a crash would end the host instead
    /// of one actor. [`Error::State`] where the state directory cannot be used and never will by itself: another
    /// process has it, a newer Backline wrote it, others may write in it.
    pub async fn start(self) -> Result<Supervisor, Error> {
        if cfg!(panic = "abort") {
            return Err(Error::Setup(
                "Backline needs `panic = \"unwind\"` in the profile of the host".to_owned(),
            ));
        }
        let store = self.open_store().await?;
        let hub = Arc::new(Hub::new(TreeSnapshot::down("root")));
        hub.chronicle.keep(self.config.history);
        if store.is_some() {
            hub.chronicle.archive();
        }
        let desk = Desk::new(hub.clone());
        let (roster, pace) = (Arc::new(Roster::default()), Arc::new(Pace::per_process()));
        for (_, backend) in self.config.backends {
            roster.insert(Slot::new(backend, hub.clone(), pace.clone(), self.dialer.clone()));
        }
        hub.set_backends(
            roster.slots().iter().map(|s| s.record.read(|status| Arc::new(status.clone()))).collect(),
        );
        let mut looking = self.config.discovery;
        looking.enabled &= self.world == World::Real;
        let parts = Parts {
            roster: roster.clone(),
            hub: hub.clone(),
            desk: desk.clone(),
            store: store.clone(),
            // What becomes of finds is told in the log; nobody else takes them yet.
            discovery: DiscoverySetup::new(looking, Arc::new(tell)),
        };
        let tree = Tree::new(&parts);
        let relay = relay::start(&tree, &hub);
        let root = tree.start().await.map_err(|e| Error::Setup(e.to_string()))?;
        let hang_up = HangUp(roster.clone());
        let handle = Handle::new(Core { hub, roster, tree, desk, store, lease_timeout: self.lease_timeout });
        Ok(Supervisor { handle, root, _relay: relay, _hang_up: hang_up })
    }

    #[cfg(feature = "state")]
    async fn open_store(&self) -> Result<Option<Store>, Error> {
        Ok(match &self.state {
            Keep::Nowhere => None,
            Keep::In(directory) => Some(Store::open(directory).await?),
            #[cfg(any(test, feature = "sim"))]
            Keep::With(store) => Some(store.clone()),
        })
    }

    #[cfg(not(feature = "state"))]
    #[expect(clippy::unused_async, reason = "it is the other build's")]
    async fn open_store(&self) -> Result<Option<Store>, Error> {
        Ok(None)
    }
}

fn tell(sweep: Sweep) {
    for find in &sweep.swept.found {
        tracing::debug!(kind = %find.kind, url = %find.url, identity = find.identity, "found");
    }
}
