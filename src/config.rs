//! What is configured: backends, pools, and how the process itself behaves.
//!
//! A [`Config`] is made in code, or loaded from layers (command line, environment, files, defaults) by a [`Loader`],
//! which tells every problem at once and remembers where each value came from.

pub mod backend;
pub mod discovery;
pub mod duration;
pub mod edits;
pub mod environment;
pub mod export;
pub mod http;
pub mod jobs;
pub mod loaded;
pub mod loader;
pub mod log;
pub mod notices;
pub mod pool;
pub mod preset;
pub mod problem;
pub mod saved;
pub mod schema;
pub mod secret;
pub mod size;
pub mod thresholds;
pub mod trust;
pub mod values;

mod build;
mod check;
pub(crate) mod danger;
pub(crate) mod difference;
mod file;
mod form;
mod header;
#[cfg(feature = "cli")]
pub(crate) mod import;
pub(crate) mod layer;
mod leaf;
mod migrate;
mod raw;
mod read;
pub(crate) mod suggest;
mod target;
#[cfg(test)]
mod tests;
#[cfg(feature = "dashboard")]
pub(crate) mod text;

pub use backend::{BackendConfig, Limits, Login, ProbeConfig};
pub use difference::ValueChange;
pub use discovery::{Adopt, DiscoveryConfig};
pub use edits::Edits;
pub use export::Exported;
pub use http::HttpConfig;
pub use jobs::JobsConfig;
pub use loaded::{Checked, Loaded, TrustSubject};
pub use loader::{FILE_NAME, Loader};
pub use log::LogConfig;
pub use notices::{NoticesConfig, WebhookConfig};
pub use pool::PoolConfig;
pub use preset::{Preset, example_text, init_text, preset, presets};
pub use problem::{Place, Problem, Problems};
pub use saved::{erase_preset, save_preset, saved_path, saved_presets};
pub use schema::{FieldDoc, FieldType, schema};
pub use secret::Secret;
pub use thresholds::Thresholds;
pub use trust::{Trust, TrustList};
pub use values::{ShownValue, ValueRow};

pub(crate) use leaf::hook_url;

use std::{path::PathBuf, sync::Arc};

use indexmap::IndexMap;

use crate::{history::Keep, model::BackendId};

/// A whole configuration, checked and typed. `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Config {
    /// In the order in which they were written. Shared: whoever runs one has its settings without a copy.
    pub backends: IndexMap<BackendId, Arc<BackendConfig>>,
    /// In the order in which they were written.
    pub pools: IndexMap<BackendId, PoolConfig>,
    /// How backends are found.
    pub discovery: DiscoveryConfig,
    /// The API and the dashboard.
    pub http: HttpConfig,
    /// How long what was is remembered.
    pub history: Keep,
    /// How much is kept of jobs.
    pub jobs: JobsConfig,
    /// Limits for every backend; one may have its own.
    pub thresholds: Thresholds,
    /// What becomes of notices beside being shown.
    pub notices: NoticesConfig,
    /// The binary's log.
    pub log: LogConfig,
    /// Where state is kept; `None` leaves it to the host (the library then keeps nothing, the binary uses the
    /// user's directory).
    pub state_dir: Option<PathBuf>,
}

impl Config {
    /// No backend, defaults for the rest.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a backend; one with the same id is replaced.
    #[must_use]
    pub fn backend(mut self, backend: BackendConfig) -> Self {
        self.backends.insert(backend.id.clone(), Arc::new(backend));
        self
    }

    /// The settings of a backend, to change them.
    pub fn backend_mut(&mut self, id: &str) -> Option<&mut BackendConfig> {
        self.backends.get_mut(id).map(Arc::make_mut)
    }

    /// Says how backends are found: a configuration made in code looks for none unless this is
    /// [`DiscoveryConfig::on`].
    #[must_use]
    pub fn discovery(mut self, discovery: DiscoveryConfig) -> Self {
        self.discovery = discovery;
        self
    }

    /// Adds a pool; one with the same id is replaced.
    #[must_use]
    pub fn pool(mut self, pool: PoolConfig) -> Self {
        self.pools.insert(pool.id.clone(), pool);
        self
    }
}
