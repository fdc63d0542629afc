//! The database's files, as they lie in the state directory, looked at without SQLite.

use std::{
    fs,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use super::{Cause, Trouble, directory, migration};

const WHAT: &str = "the state database";

/// What the first bytes of the database file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// There is no file, or an empty one.
    Nothing,
    /// A database, with the version of its schema.
    Database { application: i32, version: u32 },
    /// Something else.
    Strange,
}

/// The names of the database's files in a directory.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) directory: PathBuf,
    pub(super) main: PathBuf,
}

impl Files {
    pub(super) fn of(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), main: directory.join("state.db") }
    }

    /// The write-ahead log: what was committed last.
    pub(super) fn log(&self) -> PathBuf {
        beside(&self.main, "-wal")
    }

    /// The index of the log, which SQLite makes again.
    pub(super) fn index(&self) -> PathBuf {
        beside(&self.main, "-shm")
    }

    /// Makes the database file where it is missing, and sees to it that all are the owner's alone.
    pub(super) fn secure(&self) -> Result<(), Trouble> {
        let new = !self.main.exists();
        drop(directory::open_file(&self.main)?);
        for path in [self.log(), self.index()] {
            if fs::symlink_metadata(&path).is_ok() {
                drop(directory::open_file(&path)?);
            }
        }
        if new { directory::sync(&self.directory) } else { Ok(()) }
    }

    /// Reads the header. Only while nothing has the database open in this process: closing the file would take away
    /// SQLite's locks on it.
    pub(super) fn header(&self) -> Result<Header, Trouble> {
        let mut bytes = Vec::with_capacity(100);
        match fs::File::open(&self.main) {
            Ok(file) => file.take(100).read_to_end(&mut bytes).map_err(|e| self.failure(&e))?,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Header::Nothing),
            Err(e) => return Err(self.failure(&e)),
        };
        Ok(header(&bytes))
    }

    /// How long the write-ahead log is.
    pub(super) fn log_bytes(&self) -> u64 {
        fs::metadata(self.log()).map_or(0, |found| found.len())
    }

    fn failure(&self, error: &std::io::Error) -> Trouble {
        directory::failure(WHAT, &self.main, error)
    }
}

/// A path with something put at its end.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// The offsets are those of SQLite's file format: the version that the schema has for its user at 60, the
/// application's id at 68.
fn header(bytes: &[u8]) -> Header {
    let number = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    match (bytes.starts_with(b"SQLite format 3\0"), number(60), number(68)) {
        (true, Some(version), Some(application)) => {
            Header::Database { application: application.cast_signed(), version }
        }
        _ if bytes.is_empty() => Header::Nothing,
        _ => Header::Strange,
    }
}

/// Refuses a database that this Backline does not know.
pub(super) fn refuse_unknown(path: &Path, application: i32, version: u32) -> Result<(), Trouble> {
    let newest = migration::newest();
    let ours = application == migration::APPLICATION || (application == 0 && version == 0);
    let (cause, why) = match ours {
        false => (Cause::Foreign, "it is a database, but not one of Backline's".to_owned()),
        true if version > newest => {
            let why = format!(
                "a newer Backline wrote it: it needs one that knows schema {version}, this one knows {newest}"
            );
            (Cause::Newer, why)
        }
        true => return Ok(()),
    };
    Err(Trouble::new(WHAT, cause, format!("{}: {why}; nothing was touched", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_told_from_other_bytes() {
        assert_eq!(header(b""), Header::Nothing);
        assert_eq!(header(b"SQLite format 3\0 cut short"), Header::Strange);
        assert_eq!(header(&[7; 100]), Header::Strange);
        let mut bytes = [0; 100];
        bytes[..16].copy_from_slice(b"SQLite format 3\0");
        bytes[60..64].copy_from_slice(&7_u32.to_be_bytes());
        bytes[68..72].copy_from_slice(&migration::APPLICATION.to_be_bytes());
        assert_eq!(header(&bytes), Header::Database { application: migration::APPLICATION, version: 7 });
    }

    #[test]
    fn strangers_and_newer_ones_are_refused() {
        let newest = migration::newest();
        let of = |application, version| {
            refuse_unknown(Path::new("x"), application, version).map_err(|t| t.cause())
        };
        assert_eq!(of(0, 0), Ok(()));
        assert_eq!(of(migration::APPLICATION, newest), Ok(()));
        assert_eq!(of(migration::APPLICATION, newest + 1), Err(Cause::Newer));
        assert_eq!(of(1, newest), Err(Cause::Foreign));
        assert_eq!(of(0, 3), Err(Cause::Foreign));
    }
}
