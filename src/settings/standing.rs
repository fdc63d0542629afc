//! What the settings come to now: read by anybody without waiting, kept across crashes of the actor.

use std::{path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::{
    config::{Config, DiscoveryConfig, Edits, JobsConfig, Loaded, Problems},
    discovery::Find,
    settings::{
        book::{Book, Proposal},
        layers::Layers,
    },
};

/// Whether what earlier runs kept has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recall {
    /// The store could not be read so far: nothing may be written over what it keeps.
    Due,
    Done,
}

/// One consistent state of the settings. What is acknowledged stands in here.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Counts the configurations that were applied.
    pub(crate) generation: u64,
    pub(crate) layers: Layers,
    pub(crate) recall: Recall,
    pub(crate) edits: Edits,
    /// The edits before each of the last changes of this run, the latest last.
    pub(crate) past: Vec<Edits>,
    pub(crate) book: Book,
    /// Finds that a person may adopt.
    pub(crate) proposals: Vec<Proposal>,
    /// What counts: the layers, when they were last good.
    pub(crate) config: Arc<Config>,
    /// The same with the origin of each value; `None` before the first load.
    pub(crate) loaded: Option<Arc<Loaded>>,
    /// Why the layers come to nothing now, while the last good ones still count.
    pub(crate) problems: Problems,
}

/// The cell of the settings, and what is told to those who follow it.
pub(crate) struct Standing {
    now: ArcSwap<Settings>,
    /// Files that decide, for whoever watches them.
    pub(crate) sought: watch::Sender<Vec<PathBuf>>,
    /// What the last sweep found; `None` before the first.
    pub(crate) swept: watch::Sender<Option<Vec<Find>>>,
    /// What discovery is to look at.
    pub(crate) looking: watch::Sender<DiscoveryConfig>,
    /// How much is kept of jobs.
    pub(crate) bounds: watch::Sender<JobsConfig>,
    /// Set once what was kept over a restart has been applied.
    pub(crate) settled: watch::Sender<bool>,
    run: Box<str>,
}

impl Standing {
    /// Before anything was applied.
    pub(crate) fn new(layers: Layers, config: Config) -> Arc<Self> {
        let looking = watch::Sender::new(config.discovery.clone());
        let bounds = watch::Sender::new(config.jobs);
        let now = Settings {
            generation: 0,
            layers,
            recall: Recall::Due,
            config: Arc::new(config),
            edits: Edits::default(),
            past: Vec::new(),
            book: Book::default(),
            proposals: Vec::new(),
            loaded: None,
            problems: Problems::default(),
        };
        Arc::new(Self {
            now: ArcSwap::from_pointee(now),
            sought: watch::Sender::new(Vec::new()),
            swept: watch::Sender::new(None),
            looking,
            bounds,
            settled: watch::Sender::new(false),
            run: uuid::Uuid::new_v4().simple().to_string()[..8].into(),
        })
    }

    pub(crate) fn now(&self) -> Arc<Settings> {
        self.now.load_full()
    }

    /// Only the settings' actor writes.
    pub(crate) fn set(&self, settings: Settings) {
        follow(&self.looking, &settings.config.discovery);
        follow(&self.bounds, &settings.config.jobs);
        self.now.store(Arc::new(settings));
    }

    /// Names the configuration that counts now: another one has another tag.
    pub(crate) fn tag(&self) -> String {
        format!("{}-{}", self.run, self.now().generation)
    }
}

/// Tells those who follow a part of the configuration, where it differs.
fn follow<T: Clone + PartialEq>(cell: &watch::Sender<T>, wanted: &T) {
    cell.send_if_modified(|now| {
        let differ = now != wanted;
        if differ {
            now.clone_from(wanted);
        }
        differ
    });
}
