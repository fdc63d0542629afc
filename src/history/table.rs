//! The histories in the state database.

use std::{borrow::Cow, collections::HashMap};

use rusqlite::{Connection, Row, Transaction, params};

use super::{
    chapter::timestamp,
    reel::{Batch, FORMAT, Kept, News, Past, Reel, ages},
    timeline::Step,
};
use crate::model::{BackendId, Code, Phase};

/// Steps of a backend that are kept.
const STEPS: u32 = 200;
/// Largest memory of a backend that is written.
const MEMORY_CAP: usize = 512 * 1024;

/// Writes what is new, and takes out what is too old.
pub(super) fn write(on: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    for news in &batch.news {
        write_reels(on, batch, news)?;
        write_steps(on, batch, news)?;
        if let Some(kept) = &news.memory {
            write_memory(on, batch.now_ms, &news.backend, kept)?;
        }
    }
    prune(on, batch)
}

fn write_reels(on: &Transaction<'_>, batch: &Batch, news: &News) -> rusqlite::Result<()> {
    let mut insert = on.prepare(
        "INSERT INTO history_reel (backend, run, width, format, from_s, to_s, buckets)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for reel in &news.reels {
        let at = (reel.width, FORMAT, reel.from_s, reel.to_s);
        insert.execute(params![news.backend.as_str(), batch.run, at.0, at.1, at.2, at.3, reel.bytes])?;
    }
    Ok(())
}

fn write_steps(on: &Transaction<'_>, batch: &Batch, news: &News) -> rusqlite::Result<()> {
    if news.steps.is_empty() {
        return Ok(());
    }
    let mut insert = on.prepare(
        "INSERT INTO history_step (backend, run, at_ms, phase, code, reason, times, last_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET reason = excluded.reason, times = excluded.times,
                                   last_at_ms = excluded.last_at_ms",
    )?;
    for step in &news.steps {
        insert.execute(params![
            news.backend.as_str(),
            batch.run,
            step.at.as_millisecond(),
            step.phase.as_str(),
            step.code,
            step.reason,
            step.times,
            step.last_at.as_millisecond()
        ])?;
    }
    on.prepare(
        "DELETE FROM history_step WHERE backend = ?1 AND at_ms <
            (SELECT at_ms FROM history_step WHERE backend = ?1 ORDER BY at_ms DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![news.backend.as_str(), STEPS])?;
    Ok(())
}

fn write_memory(on: &Transaction<'_>, now_ms: i64, id: &BackendId, kept: &Kept) -> rusqlite::Result<()> {
    let memory = serde_json::to_string(&kept.memory)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    if memory.len() > MEMORY_CAP {
        tracing::warn!(backend = %id, bytes = memory.len(), "what is known of it is too long to be kept");
        return Ok(());
    }
    on.prepare(
        "INSERT INTO backend_memory (backend, kind, url, memory, written_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET kind = excluded.kind, url = excluded.url, memory = excluded.memory,
                                   written_ms = excluded.written_ms",
    )?
    .execute(params![id.as_str(), kept.kind, kept.url, memory, now_ms])?;
    Ok(())
}

fn prune(on: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    let mut reels = on.prepare("DELETE FROM history_reel WHERE width = ?1 AND to_s < ?2")?;
    let mut longest = 0;
    for (width, keep) in ages(batch.keep) {
        let keep_ms = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        longest = longest.max(keep_ms);
        reels.execute(params![width, batch.now_ms.saturating_sub(keep_ms).div_euclid(1_000)])?;
    }
    on.prepare("DELETE FROM history_step WHERE last_at_ms < ?1")?
        .execute([batch.now_ms.saturating_sub(longest)])?;
    Ok(())
}

/// What earlier runs wrote, of each backend. What this version cannot read is left out.
pub(super) fn read(on: &Connection, run: &str) -> rusqlite::Result<HashMap<BackendId, Past>> {
    let mut all: HashMap<BackendId, Past> = HashMap::new();
    let mut reels = on.prepare(
        "SELECT backend, width, from_s, to_s, buckets FROM history_reel WHERE run <> ?1 AND format = ?2
         ORDER BY from_s",
    )?;
    let mut rows = reels.query(params![run, FORMAT])?;
    while let Some(row) = rows.next()? {
        if let Some(past) = of_backend(&mut all, row)? {
            past.reels.push(Reel {
                width: row.get(1)?,
                from_s: row.get(2)?,
                to_s: row.get(3)?,
                bytes: row.get(4)?,
            });
        }
    }
    let mut steps = on.prepare(
        "SELECT backend, at_ms, phase, code, reason, times, last_at_ms FROM history_step WHERE run <> ?1
         ORDER BY at_ms, rowid",
    )?;
    let mut rows = steps.query([run])?;
    while let Some(row) = rows.next()? {
        let Some(step) = step(row)? else { continue };
        if let Some(past) = of_backend(&mut all, row)? {
            past.steps.push(step);
        }
    }
    let mut memories = on.prepare("SELECT backend, kind, url, memory FROM backend_memory")?;
    let mut rows = memories.query(())?;
    while let Some(row) = rows.next()? {
        let Ok(memory) = serde_json::from_str(row.get_ref(3)?.as_str()?) else { continue };
        if let Some(past) = of_backend(&mut all, row)? {
            past.memory = Some(Kept { kind: row.get(1)?, url: row.get(2)?, memory });
        }
    }
    Ok(all)
}

fn of_backend<'a>(
    all: &'a mut HashMap<BackendId, Past>,
    row: &Row<'_>,
) -> rusqlite::Result<Option<&'a mut Past>> {
    let name = row.get_ref(0)?.as_str()?;
    Ok(BackendId::new(name).ok().map(|id| all.entry(id).or_default()))
}

fn step(row: &Row<'_>) -> rusqlite::Result<Option<Step>> {
    let name = row.get_ref(2)?.as_str()?;
    let Some(phase) = Phase::ALL.into_iter().find(|phase| phase.as_str() == name) else { return Ok(None) };
    let code: Option<String> = row.get(3)?;
    // A code that this version does not know stays a text.
    let code = code.map(|text| match Code::ALL.iter().find(|code| code.as_str() == text) {
        Some(code) => Cow::Borrowed(code.as_str()),
        None => Cow::Owned(text),
    });
    Ok(Some(Step {
        at: timestamp(row.get(1)?),
        phase,
        code,
        reason: row.get(4)?,
        times: row.get(5)?,
        last_at: timestamp(row.get(6)?),
    }))
}

#[cfg(test)]
mod tests;
