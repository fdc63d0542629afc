//! Reads what can be read of a damaged table.

use std::path::Path;

use rusqlite::{Connection, Result, Row, ToSql, config::DbConfig, params_from_iter, types::ToSqlOutput};

use super::{SalvagedTable, open, sorting};

/// How many gaps of a table are looked behind.
const GAPS: u32 = 1_000;

/// Opens a damaged database, and reads on where SQLite would stop at once: a file shorter than its header says, a
/// table whose definition is broken.
pub(super) fn board(path: &Path) -> Result<Connection> {
    let connection = open::connect(path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    connection.pragma_update(None, "writable_schema", true)?;
    Ok(connection)
}

/// The tables of a database that hold what Backline keeps.
pub(super) fn tables(of: &Connection) -> Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_master
        WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'migrations' ORDER BY rowid";
    of.prepare(sql)?.query_map((), |row| row.get(0))?.collect()
}

/// Copies the readable rows of one table. An error is the fresh database's.
pub(super) fn copy(damaged: &Connection, fresh: &Connection, table: &str) -> Result<SalvagedTable> {
    let columns = columns(fresh, table)?;
    // A column that the damaged one lacks gets its default.
    let columns: Vec<String> = match self::columns(damaged, table) {
        Ok(there) if !there.is_empty() => columns.into_iter().filter(|c| there.contains(c)).collect(),
        _ => return Ok(SalvagedTable { table: table.to_owned(), kept: 0, lost: None }),
    };
    let list = columns.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(", ");
    let places = vec!["?"; columns.len()].join(", ");
    let mut copying = Copying {
        damaged,
        fresh,
        insert: format!("INSERT OR IGNORE INTO {} ({list}) VALUES ({places})", quoted(table)),
        select: format!("SELECT {list} FROM {} NOT INDEXED", quoted(table)),
        kept: 0,
    };
    let whole = match has_rowid(fresh, table)? {
        true => copying.by_rowid(table)?,
        false => copying.by_key(&key(fresh, table)?)?,
    };
    let kept = copying.kept;
    let count =
        damaged.query_row(&format!("SELECT count(*) FROM {}", quoted(table)), (), |row| row.get::<_, i64>(0));
    let lost = match (whole, count) {
        (_, Ok(count)) => Some(u64::try_from(count).unwrap_or(0).saturating_sub(kept)),
        (true, Err(_)) => Some(0),
        (false, Err(_)) => None,
    };
    Ok(SalvagedTable { table: table.to_owned(), kept, lost })
}

/// Removes rows that refer to rows that are lost.
pub(super) fn drop_orphans(fresh: &Connection, tables: &mut [SalvagedTable]) -> Result<()> {
    loop {
        let orphans: Vec<(String, Option<i64>)> = fresh
            .prepare("PRAGMA foreign_key_check")?
            .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_>>()?;
        let mut removed = 0;
        for (table, rowid) in orphans {
            let Some(rowid) = rowid else { continue };
            let gone =
                fresh.execute(&format!("DELETE FROM {} WHERE rowid = ?1", quoted(&table)), [rowid])? as u64;
            removed += gone;
            if let Some(report) = tables.iter_mut().find(|t| t.table == table) {
                report.kept -= gone;
                report.lost = report.lost.map(|lost| lost + gone);
            }
        }
        // A row that goes may leave orphans of its own.
        if removed == 0 {
            return Ok(());
        }
    }
}

struct Copying<'c> {
    damaged: &'c Connection,
    fresh: &'c Connection,
    insert: String,
    select: String,
    kept: u64,
}

/// How one reading ended.
enum Reading {
    Whole,
    /// Damage ended it.
    Damaged,
}

impl Copying<'_> {
    /// Upwards to the first damage, downwards to the last, and what lies between two damages. Says whether all
    /// was read.
    fn by_rowid(&mut self, table: &str) -> Result<bool> {
        let select = self.select.replacen("SELECT ", "SELECT rowid, ", 1);
        let mut last = i64::MIN;
        if let Reading::Whole = self.read(&format!("{select} ORDER BY rowid"), 1, |row| {
            last = row.get_ref(0)?.as_i64()?;
            Ok(())
        })? {
            return Ok(true);
        }
        let from = format!("{select} WHERE rowid > {last} ORDER BY rowid DESC");
        let mut first = None;
        self.read(&from, 1, |row| {
            first = Some(row.get_ref(0)?.as_i64()?);
            Ok(())
        })?;
        let newest = format!("SELECT max(rowid) FROM {}", quoted(table));
        let end =
            first.or_else(|| self.damaged.query_row(&newest, (), |row| row.get(0)).ok()).unwrap_or(last);
        let (mut at, mut step) = (last.saturating_add(1), 1_i64);
        for _ in 0..GAPS {
            if at >= end {
                break;
            }
            let before = self.kept;
            let upwards = format!("{select} WHERE rowid >= {at} AND rowid < {end} ORDER BY rowid");
            let reading = self.read(&upwards, 1, |row| {
                at = row.get_ref(0)?.as_i64()?;
                Ok(())
            })?;
            if let Reading::Whole = reading {
                break;
            }
            step = if self.kept > before { 1 } else { step.saturating_mul(2).min(64) };
            at = at.saturating_add(step);
        }
        Ok(false)
    }

    fn by_key(&mut self, key: &str) -> Result<bool> {
        if let Reading::Whole = self.read(&format!("{} ORDER BY {key}", self.select), 0, |_| Ok(()))? {
            return Ok(true);
        }
        let down = key.split(", ").map(|k| format!("{k} DESC")).collect::<Vec<_>>().join(", ");
        self.read(&format!("{} ORDER BY {down}", self.select), 0, |_| Ok(()))?;
        Ok(false)
    }

    /// Copies rows until there are none or damage is met; the first `skip` columns are not copied.
    fn read(
        &mut self,
        sql: &str,
        skip: usize,
        mut seen: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<Reading> {
        let Ok(mut statement) = self.damaged.prepare(sql) else { return Ok(Reading::Damaged) };
        let width = statement.column_count();
        let mut insert = self.fresh.prepare(&self.insert)?;
        let Ok(mut rows) = statement.query(()) else { return Ok(Reading::Damaged) };
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(Reading::Whole),
                Err(_) => return Ok(Reading::Damaged),
            };
            if seen(row).is_err() {
                return Ok(Reading::Damaged);
            }
            let mut values = Vec::with_capacity(width);
            for column in skip..width {
                let Ok(value) = row.get_ref(column) else { return Ok(Reading::Damaged) };
                values.push(ToSqlOutput::Borrowed(value));
            }
            match insert.execute(params_from_iter(values.iter().map(|v| v as &dyn ToSql))) {
                Ok(added) => self.kept += added as u64,
                // The row itself is wrong: it is one of the lost.
                Err(error) if sorting::is_own(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn columns(of: &Connection, table: &str) -> Result<Vec<String>> {
    of.prepare("SELECT name FROM pragma_table_info(?1)")?.query_map([table], |row| row.get(0))?.collect()
}

/// The columns of the primary key, in order, as SQL names them.
fn key(of: &Connection, table: &str) -> Result<String> {
    let names: Vec<String> = of
        .prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?
        .query_map([table], |row| row.get(0))?
        .collect::<Result<_>>()?;
    Ok(names.iter().map(|n| quoted(n)).collect::<Vec<_>>().join(", "))
}

fn has_rowid(of: &Connection, table: &str) -> Result<bool> {
    of.query_row("SELECT NOT wr FROM pragma_table_list(?1) WHERE schema = 'main'", [table], |row| row.get(0))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
