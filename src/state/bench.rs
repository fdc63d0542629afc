//! Where the database is worked on: the connection, while there is one.

use std::path::PathBuf;

use rusqlite::Connection;

use super::{Opening, Trouble, open, seam::Seam, sorting};

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
    connection: Option<Connection>,
}

impl Bench {
    pub(super) fn new(place: Place) -> Self {
        Self { place, connection: None }
    }

    /// Opens the database where it is not open.
    pub(super) fn open(&mut self, seam: &Seam) -> Result<Opening, Trouble> {
        seam.opening().map_err(|e| sorting::trouble("the state database", &e))?;
        let opened = match (&self.place, &self.connection) {
            (Place::Directory(directory), _) => open::open(directory)?,
            // Closed, it would be gone.
            (Place::Memory, Some(kept)) => return open::again(kept),
            (Place::Memory, None) => open::in_memory()?,
        };
        let (connection, opening) = opened;
        self.connection = Some(connection);
        Ok(opening)
    }

    /// The connection while the database is open.
    pub(super) fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// Closes a connection that is not to be believed any more.
    pub(super) fn discard(&mut self) {
        if matches!(self.place, Place::Directory(_)) {
            self.connection = None;
        }
    }

    /// Closes the database for good.
    pub(super) fn close(&mut self) {
        self.discard();
    }
}
