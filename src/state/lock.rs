//! One process for one state directory.

use std::{
    fs::{self, File, TryLockError},
    io::Write,
    path::Path,
};

use super::{Cause, Trouble, directory};

/// The name of the lock file. It stays when the process ends; what counts is the lock on it, which ends with it.
const FILE: &str = "backline.lock";
const WHAT: &str = "the state directory";

/// The right to use a state directory, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "open, it holds the lock")] File);

impl Lock {
    /// Takes the directory for this process.
    pub(super) fn take(place: &Path) -> Result<Self, Trouble> {
        let path = place.join(FILE);
        let mut file = directory::open_file(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(place, &path)),
            Err(TryLockError::Error(e)) => return Err(directory::failure(WHAT, &path, &e)),
        }
        let note = |file: &mut File| {
            file.set_len(0)?;
            file.write_all(format!("{}\n", std::process::id()).as_bytes())
        };
        note(&mut file).map_err(|e| directory::failure(WHAT, &path, &e))?;
        Ok(Self(file))
    }
}

/// The process that has a directory now, where one has; asked without taking it.
///
/// # Errors
/// The disk's.
#[cfg(feature = "cli")]
pub(crate) fn holder(place: &Path) -> Result<Option<u32>, Trouble> {
    let path = place.join(FILE);
    let file = match File::open(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|e| directory::failure(WHAT, &path, &e))?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(written(&path).unwrap_or_default())),
        Err(TryLockError::Error(e)) => Err(directory::failure(WHAT, &path, &e)),
    }
}

fn written(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok())
}

fn in_use(place: &Path, path: &Path) -> Trouble {
    let by = match written(path) {
        Some(pid) if pid == std::process::id() => "this process already".to_owned(),
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    };
    Trouble::new(WHAT, Cause::InUse, format!("{}: in use by {by}", place.display()))
}
