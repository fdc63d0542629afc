//! Reads the database without being its owner: for a command beside a running instance, or without one.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{
    Trouble,
    file::{self, Files, Header},
    open::BUSY,
    sorting,
};

/// What stands in the database of a directory; `None` where there is none. Nothing is written, and the owner is not
/// disturbed.
///
/// # Errors
/// The disk's; a newer Backline wrote it; it is damaged, which its owner mends.
pub(crate) fn peek<T>(
    directory: &Path,
    what: &str,
    read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<Option<T>, Trouble> {
    let files = Files::of(directory);
    match files.header().map_err(|trouble| trouble.about(what))? {
        Header::Nothing => return Ok(None),
        Header::Database { application, version } => file::refuse_unknown(&files.main, application, version)?,
        // SQLite says what is wrong with it.
        Header::Strange => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let looked = Connection::open_with_flags(&files.main, flags).and_then(|connection| {
        connection.busy_timeout(BUSY)?;
        read(&connection)
    });
    looked.map(Some).map_err(|error| sorting::trouble(what, &error))
}
