//! The state directory: the owner's alone. Prompts and keys of jobs are private, and what others could replace is not to
//! be believed.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use super::{Cause, Trouble};

const WHAT: &str = "the state directory";

/// Makes the directory where it is missing, for its owner alone, and refuses one that others could tamper with.
/// Answers its real path.
pub(crate) fn prepare(directory: &Path) -> Result<PathBuf, Trouble> {
    let failed = |e: &io::Error| failure(WHAT, directory, e);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(directory);
    // What stands there instead says more than the failure to make it.
    let found = fs::symlink_metadata(directory).map_err(|e| failed(made.as_ref().err().unwrap_or(&e)))?;
    if found.file_type().is_symlink() {
        return Err(unsafe_because(directory, "is a symbolic link"));
    }
    if !found.is_dir() {
        return Err(unsafe_because(directory, "is not a directory"));
    }
    refuse_others(directory, &found)?;
    fs::canonicalize(directory).map_err(|e| failed(&e))
}

/// Opens a file of the directory for reading and writing, makes it where it is missing, for the owner alone whatever
/// the umask says, and refuses what somebody else planted.
pub(super) fn open_file(path: &Path) -> Result<File, Trouble> {
    let file =
        private().create(true).truncate(false).open(path).map_err(|e| match fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_symlink() => unsafe_because(path, "is a symbolic link"),
            _ => failure(WHAT, path, &e),
        })?;
    let found = file.metadata().map_err(|e| failure(WHAT, path, &e))?;
    if !found.is_file() {
        return Err(unsafe_because(path, "is not a file"));
    }
    refuse_others(path, &found)?;
    close_to_others(path, &file, &found)?;
    Ok(file)
}

/// How a file is opened or made for the owner alone. A symbolic link is not followed.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options
}

/// Brings what was made, renamed or removed in the directory to the disk.
pub(crate) fn sync(directory: &Path) -> Result<(), Trouble> {
    // Elsewhere a directory cannot be opened as a file, and need not be.
    #[cfg(unix)]
    File::open(directory).and_then(|d| d.sync_all()).map_err(|e| failure(WHAT, directory, &e))?;
    #[cfg(not(unix))]
    let _ = directory;
    Ok(())
}

/// What an error of the file system means.
pub(super) fn failure(what: &str, path: &Path, error: &io::Error) -> Trouble {
    let cause = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Cause::Full,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Cause::ReadOnly,
        _ => Cause::Io,
    };
    Trouble::new(what, cause, format!("{}: {error}", path.display()))
}

fn unsafe_because(path: &Path, why: &str) -> Trouble {
    Trouble::new(WHAT, Cause::Unsafe, format!("{} {why}", path.display()))
}

#[cfg(unix)]
fn refuse_others(path: &Path, found: &Metadata) -> Result<(), Trouble> {
    use std::os::unix::fs::MetadataExt;
    let (owner, own) = (found.uid(), rustix::process::geteuid().as_raw());
    if owner != own {
        return Err(unsafe_because(
            path,
            &format!("belongs to user {owner}, and this process is user {own}"),
        ));
    }
    if found.mode() & 0o022 != 0 {
        let mode = found.mode() & 0o777;
        return Err(unsafe_because(path, &format!("can be written by others (mode {mode:04o})")));
    }
    Ok(())
}

/// A file that was restored from a backup may have become readable for others.
#[cfg(unix)]
fn close_to_others(path: &Path, file: &File, found: &Metadata) -> Result<(), Trouble> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    if found.mode() & 0o077 == 0 {
        return Ok(());
    }
    tracing::warn!(path = %path.display(), "others could read this file; its mode is set to 0600");
    file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(|e| failure(WHAT, path, &e))
}

// Elsewhere the rights come from the user's profile, in which the directory lies.
#[cfg(not(unix))]
fn refuse_others(_: &Path, _: &Metadata) -> Result<(), Trouble> {
    Ok(())
}

#[cfg(not(unix))]
fn close_to_others(_: &Path, _: &File, _: &Metadata) -> Result<(), Trouble> {
    Ok(())
}
