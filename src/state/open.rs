//! Opens the database file: it is looked at before it is touched, set up, and brought to the newest schema.

use std::{fs, path::Path};

use rusqlite::{Connection, OpenFlags};

use super::{Cause, Opening, Trouble, migration, sorting};

/// The name of the database in the state directory.
pub(super) const FILE: &str = "state.db";
const WHAT: &str = "the state database";

/// Opens the database of a directory.
pub(super) fn open(directory: &Path) -> Result<(Connection, Opening), Trouble> {
    fs::create_dir_all(directory).map_err(|e| {
        Trouble::new(WHAT, Cause::Io, format!("{}: the directory cannot be made: {e}", directory.display()))
    })?;
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(directory.join(FILE), flags).map_err(sort)?;
    let opening = set_up(&connection)?;
    Ok((connection, opening))
}

/// Opens a database that ends with the process.
pub(super) fn in_memory() -> Result<(Connection, Opening), Trouble> {
    let connection = Connection::open_in_memory().map_err(sort)?;
    let opening = set_up(&connection)?;
    Ok((connection, opening))
}

/// Believes a database in memory again, after trouble that a test played.
pub(super) fn again(connection: &Connection) -> Result<Opening, Trouble> {
    set_up(connection)
}

fn set_up(connection: &Connection) -> Result<Opening, Trouble> {
    let from = migration::version(connection).map_err(sort)?;
    let newest = migration::newest();
    if from > newest {
        let message =
            format!("its schema has version {from}, and this Backline knows versions up to {newest}");
        return Err(Trouble::new(WHAT, Cause::Newer, message));
    }
    configure(connection).map_err(sort)?;
    migration::migrate(connection).map_err(sort)?;
    let version = migration::version(connection).map_err(sort)?;
    Ok(Opening { from, version, salvaged: None })
}

/// How every connection works.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(2))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)
}

fn sort(error: rusqlite::Error) -> Trouble {
    sorting::trouble(WHAT, &error)
}
