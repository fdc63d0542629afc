//! How a supervisor is made.

use std::{sync::Arc, time::Duration};

use backline_supervisors::TreeSnapshot;

use super::{Core, Handle, HangUp, Supervisor, apply::Stage, relay};
use crate::{
    config::{Config, DiscoveryConfig, Loader},
    connection::{
        alarm::Task,
        pace::Pace,
        slot::{Common, Dialer, real_dialer},
    },
    discovery::{
        Sweep,
        actor::{Setup as DiscoverySetup, Sink},
    },
    error::Error,
    hub::Hub,
    jobs::{inputs::Inputs, journal::Journal, setup::Setup as JobsSetup},
    notices::Desk,
    roster::Roster,
    settings::{crew::Crew, layers::Layers, shelf::Shelf, standing::Standing, tell::Teller},
    state::Store,
    tree::{Parts, Tree},
};

/// How a supervisor is made.
pub struct Builder {
    config: Config,
    loader: Option<Loader>,
    lease_timeout: Duration,
    dialer: Dialer,
    presets: Option<std::path::PathBuf>,
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

impl World {
    fn looking(self, config: &DiscoveryConfig) -> DiscoveryConfig {
        let mut config = config.clone();
        config.enabled &= self == Self::Real;
        config
    }
}

/// Where state is kept.
#[cfg(feature = "state")]
enum Keep {
    Nowhere,
    In(std::path::PathBuf),
    #[cfg(any(test, feature = "sim"))]
    With(Store),
}

/// How long a start waits for what earlier runs kept, before it returns without.
const SETTLE: Duration = Duration::from_secs(2);

/// The settings before anything runs. What earlier runs kept may change backends, so those of a loader begin with it,
/// and not before: none is dialed at an address that does not count.
fn open_standing(layers: Layers, stage: &Stage, has_store: bool) -> Result<Arc<Standing>, Error> {
    let (config, begun) = match &layers {
        Layers::Given(config) => (Config::clone(config), true),
        Layers::Read(loader) => (loader.load().map_err(Error::Invalid)?.config, !has_store),
    };
    if begun {
        stage.set(&config);
    }
    Ok(Standing::new(layers, config))
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            config: Config::new(),
            loader: None,
            lease_timeout: Duration::from_secs(30),
            dialer: real_dialer(),
            world: World::Real,
            presets: None,
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

    /// Loads the configuration from its layers, in place of [`Self::config`], and again whenever it may have changed:
    /// with the feature `cli` files are watched, else [`Handle::reload`] does it. A broken file keeps what was before.
    #[must_use]
    pub fn loader(mut self, loader: Loader) -> Self {
        self.loader = Some(loader);
        self
    }

    /// Where the user's own presets lie, which the API offers beside those that come with Backline, saves and erases.
    /// None by default; the binary has the user's directory.
    #[must_use]
    pub fn presets_dir(mut self, directory: impl Into<std::path::PathBuf>) -> Self {
        self.presets = Some(directory.into());
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
        self.dialer = Arc::new(move |config: &crate::config::BackendConfig, _| make(config));
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
        let (outputs, inputs) = (self.place("outputs"), self.place("inputs").map(Inputs::new));
        let hub = Arc::new(Hub::new(TreeSnapshot::down("root")));
        let desk = Desk::new(hub.clone());
        let (roster, pace) = (Arc::new(Roster::default()), Arc::new(Pace::per_process()));
        let layers = match self.loader {
            Some(loader) => Layers::Read(Box::new(loader)),
            None => Layers::Given(Box::new(self.config)),
        };
        let (line, dialer) = (roster.line.clone(), self.dialer);
        let common =
            Common { hub: hub.clone(), pace, line, endpoints: Arc::default(), cards: Arc::default(), dialer };
        let stage = Stage { roster: roster.clone(), common };
        let standing = open_standing(layers, &stage, store.is_some())?;
        let config = standing.now().config.clone();
        hub.chronicle.keep(config.history);
        if store.is_some() {
            hub.chronicle.archive();
        }
        let (shelf, teller) = (Shelf::new(store.clone()), Teller(desk.clone()));
        let jobs = JobsSetup {
            roster: roster.clone(),
            hub: hub.clone(),
            journal: Journal::new(store.clone(), standing.bounds.subscribe()),
            shelf: Arc::default(),
            desk: desk.clone(),
            bounds: standing.bounds.subscribe(),
            settled: standing.settled.subscribe(),
            outputs,
            inputs,
        };
        let parts = Parts {
            jobs: jobs.clone(),
            roster: roster.clone(),
            hub: hub.clone(),
            desk: desk.clone(),
            store: store.clone(),
            crew: Arc::new(Crew { stage, standing: standing.clone(), shelf, teller }),
            discovery: DiscoverySetup::new(self.world.looking(&config.discovery), sink(standing.clone())),
        };
        let tree = Tree::new(&parts);
        let relay = relay::start(&tree, &hub);
        let root = tree.start().await.map_err(|e| Error::Setup(e.to_string()))?;
        let hang_up = HangUp { roster: roster.clone(), store: store.clone(), jobs: jobs.shelf.clone() };
        let looking = follow(self.world, &tree, &standing);
        // The database may be slow or out of order: then it is read later.
        let _ = tokio::time::timeout(SETTLE, standing.settled.subscribe().wait_for(|settled| *settled)).await;
        let handle = Handle::new(Core {
            hub,
            roster,
            tree,
            desk,
            store,
            jobs,
            standing,
            lease_timeout: self.lease_timeout,
            presets: self.presets,
        });
        Ok(Supervisor { handle, root, _relay: relay, _looking: looking, _hang_up: hang_up })
    }

    /// A directory of this name, where state is kept.
    fn place(&self, name: &str) -> Option<std::path::PathBuf> {
        #[cfg(feature = "state")]
        if let Keep::In(directory) = &self.state {
            return Some(directory.join(name));
        }
        let _ = name;
        None
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

/// Hands what was found to the settings. The latest sweep counts: another follows.
fn sink(standing: Arc<Standing>) -> Sink {
    Arc::new(move |sweep: Sweep| {
        for find in &sweep.swept.found {
            tracing::debug!(kind = %find.kind, url = %find.url, identity = find.identity, "found");
        }
        standing.swept.send_replace(Some(sweep.swept.found));
    })
}

/// Tells discovery what the configuration wants it to look at, whenever that changes.
fn follow(world: World, tree: &Tree, standing: &Standing) -> Task {
    let (tree, mut looking) = (tree.clone(), standing.looking.subscribe());
    Task::spawn(async move {
        while looking.changed().await.is_ok() {
            let config = world.looking(&looking.borrow_and_update());
            tree.configure_discovery(config);
        }
    })
}
