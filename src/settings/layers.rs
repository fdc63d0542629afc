//! The layers of a running supervisor: what a loader reads, or what the host's own code gave.

use std::path::PathBuf;

use crate::{
    config::{Config, Edits, Loaded, Loader, Problems},
    settings::book::Book,
};

/// Where a supervisor's configuration comes from.
#[derive(Debug, Clone)]
pub(crate) enum Layers {
    /// The host's own code. Edits and finds add backends to it, and change none of its own.
    Given(Box<Config>),
    /// Files and environment, read again at each change.
    Read(Box<Loader>),
}

/// What the layers come to.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) config: Config,
    /// The same without what was found.
    pub(crate) bare: Config,
    pub(crate) loaded: Loaded,
}

/// Why the layers come to nothing, and which files may mend that.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub(crate) problems: Problems,
    pub(crate) sought: Vec<PathBuf>,
}

impl Layers {
    /// Reads all layers. It reads files: not for a task of the runtime.
    pub(crate) fn load(&self, edits: &Edits, book: &Book) -> Result<Outcome, Broken> {
        // What was found depends on what is configured, so that comes first.
        let (bare, _) = self.gather(edits, Edits::default());
        let bare = self.whole(&bare.config);
        let (loaded, problems) = self.gather(edits, book.layer(&bare, edits));
        if !problems.is_empty() {
            return Err(Broken { problems, sought: loaded.sought });
        }
        Ok(Outcome { config: self.whole(&loaded.config), bare, loaded })
    }

    fn gather(&self, edits: &Edits, found: Edits) -> (Loaded, Problems) {
        match self {
            // It looks for no file.
            Self::Given(_) => Loader::new().edits(edits.clone()).discovered(found).gather_without_file(),
            Self::Read(loader) => Loader::clone(loader).edits(edits.clone()).discovered(found).gather(),
        }
    }

    /// With what the host's own code gave.
    fn whole(&self, loaded: &Config) -> Config {
        match self {
            Self::Given(given) => joined(given, loaded),
            Self::Read(_) => loaded.clone(),
        }
    }
}

/// The host's backends first: none of them is replaced.
fn joined(given: &Config, more: &Config) -> Config {
    let mut config = given.clone();
    for (id, backend) in &more.backends {
        config.backends.entry(id.clone()).or_insert_with(|| backend.clone());
    }
    for (id, pool) in &more.pools {
        config.pools.entry(id.clone()).or_insert_with(|| pool.clone());
    }
    config
}
