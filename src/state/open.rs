//! Opens the database: it is looked at before it is touched, verified, and brought to the newest schema.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    Cause, Opening, Trouble, directory,
    file::{self, Files, Header},
    migration, salvage, sorting,
};

const WHAT: &str = "the state database";
/// How long another program's lock is waited for.
pub(super) const BUSY: Duration = Duration::from_secs(2);

/// Opens the database of a directory that is this process's. A damaged one is set aside and salvaged.
pub(super) fn open(files: &Files) -> Result<(Connection, Opening), Trouble> {
    salvage::finish(files)?;
    files.secure()?;
    let damage = match files.header()? {
        Header::Database { application, version } => {
            file::refuse_unknown(&files.main, application, version)?;
            None
        }
        Header::Nothing => None,
        Header::Strange => Some("the file does not begin as a database does".to_owned()),
    };
    let damage = match damage {
        Some(damage) => damage,
        None => match verified(files) {
            Ok(opened) => return Ok(opened),
            Err(trouble) if trouble.cause() == Cause::Damaged => trouble.message().to_owned(),
            Err(trouble) => return Err(trouble),
        },
    };
    let salvaged = salvage::salvage(files, damage)?;
    let (connection, opening) = verified(files)?;
    Ok((connection, Opening { salvaged: Some(salvaged), ..opening }))
}

/// Opens a database that ends with the process.
pub(super) fn in_memory() -> Result<(Connection, Opening), Trouble> {
    let connection = Connection::open_in_memory().map_err(sort)?;
    let opening = again(&connection)?;
    Ok((connection, opening))
}

/// Believes a database in memory again, after trouble that a test played.
pub(super) fn again(connection: &Connection) -> Result<Opening, Trouble> {
    configure(connection)?;
    grow(connection)
}

/// Opens the file, and believes it only when all of it was read and all of the log was brought into it.
fn verified(files: &Files) -> Result<(Connection, Opening), Trouble> {
    let connection = connect(&files.main).map_err(sort)?;
    let version = migration::version(&connection).map_err(sort)?;
    let application =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(sort)?;
    // The log may hold a newer header than the file.
    file::refuse_unknown(&files.main, application, version)?;
    if application == 0 && !is_empty(&connection).map_err(sort)? {
        file::refuse_unknown(&files.main, 1, version)?;
    }
    configure(&connection)?;
    check(&connection)?;
    if !files.log().exists() {
        return Err(Trouble::new(WHAT, Cause::Io, "its write-ahead log could not be made"));
    }
    // What a failed synchronisation left in the log is in the kernel's memory, perhaps not on the disk. Written into
    // the file and synchronised once more, it is on the disk or this fails.
    checkpoint(&connection)?;
    let opening = grow(&connection)?;
    // The log is a new file; SQLite passes over a directory that cannot be synchronised.
    directory::sync(&files.directory)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(sort)?;
    Ok((connection, opening))
}

/// A connection that touches nothing by itself, not even when it is closed.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A file may have been restored from elsewhere: what it brings along is data, never code.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// How every connection works.
fn configure(connection: &Connection) -> Result<(), Trouble> {
    write_ahead(connection).and_then(|()| set(connection)).map_err(sort)
}

/// The change is committed after its answer was given, so the statement is stepped to its end: only there a disk shows
/// that fails meanwhile. Unseen, the old way of writing would stay in place.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA journal_mode = WAL")?;
    let mut answers = statement.query(())?;
    while answers.next()?.is_some() {}
    Ok(())
}

fn set(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    // SQLite's own checkpoint after a commit hides its errors.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// Brings the log into the file. Where another program reads at that moment, as far as it goes.
pub(super) fn checkpoint(connection: &Connection) -> Result<(), Trouble> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).map_err(sort)
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_master", (), |row| row.get(0))
}

/// Reads all pages. What is wrong is damage.
fn check(connection: &Connection) -> Result<(), Trouble> {
    let found: Vec<String> = connection
        .prepare("PRAGMA quick_check(5)")
        .and_then(|mut check| check.query_map((), |row| row.get(0))?.collect())
        .map_err(sort)?;
    if found == ["ok"] {
        return Ok(());
    }
    Err(Trouble::new(WHAT, Cause::Damaged, format!("the state database is damaged: {}", found.join("; "))))
}

fn grow(connection: &Connection) -> Result<Opening, Trouble> {
    let from = migration::version(connection).map_err(sort)?;
    migration::migrate(connection, migration::newest()).map_err(sort)?;
    let version = migration::version(connection).map_err(sort)?;
    Ok(Opening { from, version, salvaged: None })
}

fn sort(error: rusqlite::Error) -> Trouble {
    sorting::trouble(WHAT, &error)
}

/// The path of a state directory that is safe to use.
pub(super) fn directory(path: &Path) -> Result<Files, Trouble> {
    directory::prepare(path).map(|real| Files::of(&real))
}
