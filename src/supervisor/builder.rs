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
    error::Error,
    hub::Hub,
    notices::Desk,
    roster::Roster,
    tree::Tree,
};

/// How a supervisor is made.
pub struct Builder {
    config: Config,
    lease_timeout: Duration,
    dialer: Dialer,
}

impl Default for Builder {
    fn default() -> Self {
        Self { config: Config::new(), lease_timeout: Duration::from_secs(30), dialer: real_dialer() }
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

    /// Replaces the protocols by others: how a test runs connections in virtual time, against no socket.
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
        self
    }

    /// Starts the tree in the current tokio runtime and returns at once: connecting goes on by itself.
    ///
    /// # Cancel safety
    /// Dropping the future ends what it started.
    ///
    /// # Errors
    /// [`Error::Setup`] where the tree cannot be started: with `panic = "abort"` a crash would end the host instead
    /// of one actor.
    pub async fn start(self) -> Result<Supervisor, Error> {
        if cfg!(panic = "abort") {
            return Err(Error::Setup(
                "Backline needs `panic = \"unwind\"` in the profile of the host".to_owned(),
            ));
        }
        let hub = Arc::new(Hub::new(TreeSnapshot::down("root")));
        let desk = Desk::new(hub.clone());
        let (roster, pace) = (Arc::new(Roster::default()), Arc::new(Pace::per_process()));
        for (_, backend) in self.config.backends {
            roster.insert(Slot::new(backend, hub.clone(), pace.clone(), self.dialer.clone()));
        }
        hub.set_backends(
            roster.slots().iter().map(|s| s.record.read(|status| Arc::new(status.clone()))).collect(),
        );
        let tree = Tree::new(&roster, &hub, &desk);
        let relay = relay::start(&tree, &hub);
        let root = tree.start().await.map_err(|e| Error::Setup(e.to_string()))?;
        let hang_up = HangUp(roster.clone());
        let handle = Handle::new(Core { hub, roster, tree, desk, lease_timeout: self.lease_timeout });
        Ok(Supervisor { handle, root, _relay: relay, _hang_up: hang_up })
    }
}
