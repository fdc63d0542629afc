//! What a [`Loader`](crate::config::Loader) brings back.

use std::path::PathBuf;

use crate::config::{Config, Exported, Problems, ValueRow, export, layer::Layer, values};

/// A loaded configuration, and what came up on the way.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What works, and what a person should still look at.
    pub warnings: Problems,
    /// Every file that was read, the named one first.
    pub files: Vec<PathBuf>,
    /// Where files stand, or may come to stand, that change this configuration.
    pub(crate) sought: Vec<PathBuf>,
    /// The file's own values.
    pub(crate) file: Layer,
    pub(crate) merged: Layer,
}

/// What `config check` has to say.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Checked {
    /// What keeps it from being used.
    pub problems: Problems,
    /// What works, and what a person should still look at.
    pub warnings: Problems,
}

/// The file that is to be trusted, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustSubject {
    /// Its full path.
    pub path: PathBuf,
    /// The digest of its text and of everything that it extends.
    pub digest: String,
}

impl Loaded {
    /// Every value with its source, defaults included.
    pub fn values(&self) -> Vec<ValueRow> {
        values::rows(&self.merged)
    }

    /// The configuration as one file, without secrets.
    pub fn export(&self) -> Exported {
        export::export(&self.merged)
    }
}
