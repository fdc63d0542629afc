//! A damaged database: set aside, and its readable rows saved into a fresh one.
//!
//! Nothing is lost by a crash in between: the damaged files stay where they are until the fresh one is complete, which
//! a rename says.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use super::{
    Salvaged, SalvagedTable, Trouble, directory,
    file::{Files, Header, beside},
    migration, sorting, wreck,
};

const WHAT: &str = "salvaging the state database";

/// Sets the damaged database aside and puts a fresh one with its readable rows in its place.
pub(super) fn salvage(files: &Files, damage: String) -> Result<Salvaged, Trouble> {
    let version = match files.header()? {
        Header::Database { version, .. } if (1..=migration::newest()).contains(&version) => version,
        _ => migration::newest(),
    };
    let aside = set_aside(files)?;
    let part = beside(&files.main, ".part");
    remove(&part)?;
    drop(directory::open_file(&part)?);
    let tables = rescue(&aside, &part, version)?;
    remove(&beside(&aside, "-shm"))?;
    sync_file(&part)?;
    rename(&part, &complete(files))?;
    directory::sync(&files.directory)?;
    finish(files)?;
    let salvaged = Salvaged { damage, aside, tables };
    tell(&salvaged);
    Ok(salvaged)
}

/// Puts a fresh database that is complete in its place, also where an earlier process came only as far as that.
pub(super) fn finish(files: &Files) -> Result<(), Trouble> {
    let complete = complete(files);
    if fs::symlink_metadata(&complete).is_err() {
        return Ok(());
    }
    // The log belongs to the damaged database.
    remove(&files.log())?;
    remove(&files.index())?;
    rename(&complete, &files.main)?;
    directory::sync(&files.directory)
}

fn complete(files: &Files) -> PathBuf {
    beside(&files.main, ".salvaged")
}

/// Copies the damaged files under a dated name.
fn set_aside(files: &Files) -> Result<PathBuf, Trouble> {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let name = |n: u32| match n {
        1 => format!("state.damaged-{now}.db"),
        n => format!("state.damaged-{now}-{n}.db"),
    };
    let free = (1..).map(|n| files.directory.join(name(n))).find(|path| !path.exists());
    let aside = free.expect("there are more names than files");
    for (from, to) in [(&files.main, aside.clone()), (&files.log(), beside(&aside, "-wal"))] {
        if let Err(error) = copy(from, &to) {
            // Half a copy is worth nothing, and the disk may be full.
            let _ = (fs::remove_file(&aside), fs::remove_file(beside(&aside, "-wal")));
            return Err(directory::failure(WHAT, &to, &error));
        }
    }
    directory::sync(&files.directory)?;
    Ok(aside)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = match fs::File::open(from) {
        Ok(source) => source,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    let mut copy = directory::private().create_new(true).open(to)?;
    io::copy(&mut source, &mut copy)?;
    copy.sync_all()
}

/// Makes a fresh database of the version that the damaged one had, and copies what can be read.
fn rescue(damaged: &Path, fresh: &Path, version: u32) -> Result<Vec<SalvagedTable>, Trouble> {
    let sort = |e: rusqlite::Error| sorting::trouble(WHAT, &e);
    let fresh = Connection::open(fresh).map_err(sort)?;
    // It counts only once it is complete and synchronised as a whole.
    fresh
        .execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF")
        .map_err(sort)?;
    migration::migrate(&fresh, version).map_err(sort)?;
    fresh.execute_batch("BEGIN").map_err(sort)?;
    let damaged = wreck::board(damaged);
    let mut tables = Vec::new();
    for table in wreck::tables(&fresh).map_err(sort)? {
        tables.push(match &damaged {
            Ok(damaged) => wreck::copy(damaged, &fresh, &table).map_err(sort)?,
            Err(_) => SalvagedTable { table, kept: 0, lost: None },
        });
    }
    wreck::drop_orphans(&fresh, &mut tables).map_err(sort)?;
    fresh.execute_batch("COMMIT").map_err(sort)?;
    fresh.close().map_err(|(_, e)| sort(e))?;
    Ok(tables)
}

fn tell(salvaged: &Salvaged) {
    let aside = salvaged.aside.display();
    tracing::error!(%aside, damage = salvaged.damage, "the state database was damaged; its readable rows were saved");
    for SalvagedTable { table, kept, lost } in &salvaged.tables {
        match lost {
            Some(0) => tracing::info!(table, kept, "all rows were saved"),
            Some(lost) => tracing::error!(table, kept, lost, "rows are lost"),
            None => tracing::error!(table, kept, "rows are lost; how many, the damage hides"),
        }
    }
}

fn sync_file(path: &Path) -> Result<(), Trouble> {
    directory::private().open(path).and_then(|f| f.sync_all()).map_err(|e| directory::failure(WHAT, path, &e))
}

fn rename(from: &Path, to: &Path) -> Result<(), Trouble> {
    fs::rename(from, to).map_err(|e| directory::failure(WHAT, to, &e))
}

fn remove(path: &Path) -> Result<(), Trouble> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(directory::failure(WHAT, path, &e)),
        _ => Ok(()),
    }
}
