//! A directory for the length of the demo: jobs keep their outputs in it, for the dashboard to show.

use std::path::{Path, PathBuf};

use crate::cli::{instance::make_directory, outcome::Stop};

/// A directory of the owner's alone; it goes with this.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn make() -> Result<Self, Stop> {
        let name = format!("backline-demo-{}", uuid::Uuid::new_v4().simple());
        let scratch = Self(std::env::temp_dir().join(name));
        make_directory(&scratch.0)?;
        Ok(scratch)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, directory = %self.0.display(), "the demo's directory stays");
        }
    }
}
