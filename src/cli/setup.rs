//! What most commands begin with: the configuration, the user's directories.

use std::path::PathBuf;

use etcetera::BaseStrategy;

use super::{args::Common, outcome::Stop, print::errln};
use crate::config::{Config, Loaded, Loader, TrustList};

/// The list of trusted files, in the user's directory.
const TRUSTED: &str = "trusted";

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

/// The layers of this process. A list of trusted files that cannot be read trusts nothing, and that is told.
pub(crate) fn loader(common: &Common) -> Loader {
    let mut loader = Loader::from_process();
    if let Ok(directory) = user_directory() {
        let list = directory.join(TRUSTED);
        match TrustList::load(&list) {
            Ok(trusted) => loader = loader.trusted(trusted),
            Err(error) => errln!("backline: warning: {}: {error}; no file is trusted", list.display()),
        }
        loader = loader.user_directory(directory);
    }
    match &common.config {
        Some(file) => loader.file(file),
        None => loader,
    }
}

/// The user's directory for configuration: `backline` in `$XDG_CONFIG_HOME` or what the system has for it.
pub(crate) fn user_directory() -> Result<PathBuf, Stop> {
    let directories = etcetera::choose_base_strategy().map_err(|e| {
        Stop::usage(
            format!("the user's directory is unknown: {e}"),
            "Set HOME, or name a file with `--config`.",
        )
    })?;
    Ok(directories.config_dir().join("backline"))
}

/// Where the list of trusted files is kept.
pub(crate) fn trust_list() -> Result<PathBuf, Stop> {
    Ok(user_directory()?.join(TRUSTED))
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
