//! Where the database is worked on: the connection, while there is one, and the right to use its directory.

use std::path::PathBuf;

use rusqlite::Connection;

use super::{Opening, Trouble, file::Files, lock::Lock, open, seam::Seam, sorting};

/// The log is brought into the file when it is longer than this.
const LOG_BYTES: u64 = 4 << 20;

/// Where the database lies.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Directory(PathBuf),
    /// It ends with the process.
    Memory,
}

/// The connection and what belongs to it. One thread works here at a time.
pub(super) struct Bench {
    place: Place,
    /// Before the lock: the connection is closed before another process may open one.
    connection: Option<Connection>,
    held: Option<(Lock, Files)>,
}

impl Bench {
    pub(super) fn new(place: Place) -> Self {
        Self { place, connection: None, held: None }
    }

    /// Opens the database.
    pub(super) fn open(&mut self, seam: &Seam) -> Result<Opening, Trouble> {
        self.discard();
        seam.opening().map_err(|e| sorting::trouble("the state database", &e))?;
        let (connection, opening) = match (&self.place, &self.connection) {
            (Place::Directory(_), _) => open::open(self.hold()?)?,
            // Closed, it would be gone.
            (Place::Memory, Some(kept)) => return open::again(kept),
            (Place::Memory, None) => open::in_memory()?,
        };
        self.connection = Some(connection);
        Ok(opening)
    }

    fn hold(&mut self) -> Result<&Files, Trouble> {
        if let (Place::Directory(directory), None) = (&self.place, &self.held) {
            let files = open::directory(directory)?;
            self.held = Some((Lock::take(&files.directory)?, files));
        }
        let (_, files) = self.held.as_ref().expect("it was just taken");
        Ok(files)
    }

    /// The connection while the database is open.
    pub(super) fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// Brings a log that has become long into the file.
    pub(super) fn tidy(&self) -> Result<(), Trouble> {
        match (&self.connection, &self.held) {
            (Some(connection), Some((_, files))) if files.log_bytes() > LOG_BYTES => {
                // A program that reads meanwhile is not waited for: the next time will do.
                let sort = |e: rusqlite::Error| sorting::trouble("the state database", &e);
                connection.busy_timeout(std::time::Duration::ZERO).map_err(sort)?;
                open::checkpoint(connection)?;
                connection.busy_timeout(open::BUSY).map_err(sort)
            }
            _ => Ok(()),
        }
    }

    /// Closes a connection that is not to be believed any more. The directory stays this process's.
    pub(super) fn discard(&mut self) {
        if matches!(self.place, Place::Directory(_)) {
            self.connection = None;
        }
    }

    /// Closes the database, and gives the directory back.
    pub(super) fn close(&mut self) {
        if let (Some(connection), Some(_)) = (&self.connection, &self.held)
            && let Err(trouble) = open::checkpoint(connection)
        {
            // All that was acknowledged stands in the log.
            tracing::warn!(%trouble, "the log stays beside the state database");
        }
        self.discard();
        self.held = None;
    }
}
