//! The layers of a running supervisor: what a loader reads, or what the host's own code gave.

use std::path::PathBuf;

use crate::config::{Config, Edits, Loaded, Loader, Problems};

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
    pub(crate) fn load(&self, edits: &Edits, found: &Edits) -> Result<Outcome, Broken> {
        let loader = match self {
            Self::Given(_) => Loader::new(),
            Self::Read(loader) => Loader::clone(loader),
        };
        let loader = loader.edits(edits.clone()).discovered(found.clone());
        let (loaded, problems) = match self {
            // It looks for no file.
            Self::Given(_) => loader.gather_without_file(),
            Self::Read(_) => loader.gather(),
        };
        if !problems.is_empty() {
            return Err(Broken { problems, sought: loaded.sought });
        }
        let config = match self {
            Self::Given(given) => joined(given, &loaded.config),
            Self::Read(_) => loaded.config.clone(),
        };
        Ok(Outcome { config, loaded })
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
