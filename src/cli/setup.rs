//! What most commands begin with: the configuration, the user's directories.

use std::path::PathBuf;

use etcetera::BaseStrategy;

use super::{args::Common, outcome::Stop, print::errln};
use crate::config::{Config, Loaded, Loader};

/// The configuration with all its layers; every problem at once otherwise.
pub(crate) fn load(common: &Common) -> Result<Loaded, Stop> {
    let loaded = loader(common).load().map_err(|problems| Stop::problems(&problems))?;
    if !loaded.warnings.is_empty() {
        for line in loaded.warnings.to_string().lines() {
            errln!("backline: warning: {line}");
        }
    }
    Ok(loaded)
}

pub(crate) fn loader(common: &Common) -> Loader {
    let mut loader = Loader::from_process();
    if let Ok(directories) = etcetera::choose_base_strategy() {
        loader = loader.user_directory(directories.config_dir().join("backline"));
    }
    match &common.config {
        Some(file) => loader.file(file),
        None => loader,
    }
}

/// Where state is kept: `$BACKLINE_STATE_DIR`, the configuration's, the user's.
pub(crate) fn state_dir(config: Option<&Config>) -> Result<PathBuf, Stop> {
    if let Some(named) = std::env::var_os("BACKLINE_STATE_DIR").filter(|d| !d.is_empty()) {
        return Ok(named.into());
    }
    if let Some(named) = config.and_then(|c| c.state_dir.clone()) {
        return Ok(named);
    }
    let directories = etcetera::choose_base_strategy().map_err(|e| {
        Stop::usage(format!("the user's directory is unknown: {e}"), "Set BACKLINE_STATE_DIR.")
    })?;
    let base = directories.state_dir().unwrap_or_else(|| directories.data_dir());
    Ok(base.join("backline"))
}
