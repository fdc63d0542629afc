//! The journal's tables.

use rusqlite::{Connection, OptionalExtension, Params, Row as SqlRow, Transaction, params};

use super::Swept;
use crate::{config::JobsConfig, model::OutputFile};

pub(super) struct Row {
    pub(super) id: String,
    pub(super) key: Option<String>,
    pub(super) target: String,
    pub(super) request: String,
    pub(super) hash: Vec<u8>,
    pub(super) terms: String,
    pub(super) at_ms: i64,
    pub(super) inputs: Vec<(String, u64)>,
}

pub(super) struct JobRow {
    pub(super) number: i64,
    pub(super) id: String,
    pub(super) target: String,
    pub(super) request: Option<String>,
    pub(super) terms: String,
    pub(super) accepted_ms: i64,
    /// Its end, where it has ended.
    pub(super) state: Option<String>,
}

pub(super) struct StepRow {
    pub(super) seq: u32,
    pub(super) at_ms: i64,
    pub(super) age_ms: i64,
    pub(super) kind: String,
    pub(super) evidence: String,
    pub(super) event: String,
    /// The end that it led to.
    pub(super) end: Option<&'static str>,
    /// Whether it takes the job out of its end.
    pub(super) reopens: bool,
    pub(super) keep_request: bool,
    pub(super) output: Option<(usize, OutputFile)>,
}

pub(super) enum Told {
    New { number: i64 },
    Known { id: String, state: Option<String> },
    Conflict { id: String },
    Full,
}

type Result<T> = rusqlite::Result<T>;

pub(super) fn accept(t: &Transaction<'_>, row: &Row, open: u32) -> Result<Told> {
    if let Some(key) = &row.key {
        let mut known = t.prepare(
            "SELECT k.job, k.hash, j.state FROM job_keys k LEFT JOIN jobs j ON j.id = k.job WHERE k.key = ?1",
        )?;
        let found: Option<(String, Vec<u8>, Option<String>)> =
            known.query_row([key], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).optional()?;
        match found {
            Some((id, hash, state)) if hash == row.hash => return Ok(Told::Known { id, state }),
            Some((id, ..)) => return Ok(Told::Conflict { id }),
            None => {}
        }
    }
    let waiting: u32 =
        t.prepare("SELECT count(*) FROM jobs WHERE ended_ms IS NULL")?.query_row((), |r| r.get(0))?;
    if waiting >= open {
        return Ok(Told::Full);
    }
    t.prepare(
        "INSERT INTO jobs (id, target, request, hash, terms, accepted_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![row.id, row.target, row.request, row.hash, row.terms, row.at_ms])?;
    let number = t.last_insert_rowid();
    if let Some(key) = &row.key {
        t.prepare("INSERT INTO job_keys (key, job, hash) VALUES (?1, ?2, ?3)")?
            .execute(params![key, row.id, row.hash])?;
    }
    for (sha256, bytes) in &row.inputs {
        t.prepare("INSERT OR IGNORE INTO job_inputs (job, sha256, bytes) VALUES (?1, ?2, ?3)")?
            .execute(params![number, sha256, saturated(*bytes)])?;
    }
    Ok(Told::New { number })
}

pub(super) fn append(t: &Transaction<'_>, number: i64, step: &StepRow) -> Result<()> {
    let new = t
        .prepare(
            "INSERT OR IGNORE INTO job_steps (job, seq, at_ms, age_ms, kind, evidence, event)
             SELECT number, ?2, ?3, ?4, ?5, ?6, ?7 FROM jobs WHERE number = ?1",
        )?
        .execute(params![number, step.seq, step.at_ms, step.age_ms, step.kind, step.evidence, step.event])?;
    if new == 0 {
        return known(t, number, step);
    }
    if let Some((place, output)) = &step.output {
        t.prepare(
            "INSERT INTO job_outputs (job, attempt, place, slot, name, bytes, sha256)
             SELECT ?1, (SELECT count(*) FROM job_steps WHERE job = ?1 AND kind = 'bound'), ?2,
                    iif(json_valid(request) AND request ->> 'save_to' IS NOT NULL, 'caller', ''), ?3, ?4, ?5
             FROM jobs WHERE number = ?1",
        )?
        .execute(params![
            number,
            saturated(*place as u64),
            output.name,
            saturated(output.bytes),
            output.sha256
        ])?;
    }
    if step.reopens {
        mark(t, number, None)?;
    }
    if let Some(state) = step.end {
        mark(t, number, Some((step.at_ms, state)))?;
        if !step.keep_request {
            forget(t, number)?;
        }
    }
    Ok(())
}

/// Leaves the verdict and the hash, which stand with the job: its steps carry results and files' names.
fn forget(t: &Transaction<'_>, number: i64) -> Result<()> {
    t.prepare("UPDATE jobs SET request = NULL WHERE number = ?1")?.execute([number])?;
    t.prepare("UPDATE job_steps SET evidence = '', event = '' WHERE job = ?1")?.execute([number])?;
    for table in ["job_outputs", "job_inputs"] {
        t.prepare(&format!("DELETE FROM {table} WHERE job = ?1"))?.execute([number])?;
    }
    Ok(())
}

/// A step that is there already: the same one (which may have been forgotten with its job), or the journal has two
/// writers.
fn known(t: &Transaction<'_>, number: i64, step: &StepRow) -> Result<()> {
    let same: Option<String> = t
        .prepare("SELECT event FROM job_steps WHERE job = ?1 AND seq = ?2")?
        .query_row(params![number, step.seq], |r| r.get(0))
        .optional()?;
    if same.is_some_and(|event| event == step.event || event.is_empty()) {
        Ok(())
    } else {
        Err(rusqlite::Error::QueryReturnedNoRows)
    }
}

fn mark(t: &Transaction<'_>, number: i64, end: Option<(i64, &str)>) -> Result<()> {
    let (ended, state) = end.unzip();
    t.prepare("UPDATE jobs SET ended_ms = ?2, state = ?3 WHERE number = ?1")?
        .execute(params![number, ended, state])?;
    t.prepare("UPDATE job_keys SET ended_ms = ?2 WHERE job = (SELECT id FROM jobs WHERE number = ?1)")?
        .execute(params![number, ended])?;
    Ok(())
}

const COLUMNS: &str = "number, id, target, request, terms, accepted_ms, state";

pub(super) fn load(c: &Connection, ended: u32) -> Result<Vec<(JobRow, Vec<StepRow>)>> {
    let some = format!(
        "SELECT {COLUMNS} FROM jobs WHERE ended_ms IS NULL OR number IN
         (SELECT number FROM jobs WHERE ended_ms IS NOT NULL ORDER BY ended_ms DESC, number DESC LIMIT ?1)
         ORDER BY number"
    );
    jobs(c, &some, [ended])
}

pub(super) fn find(c: &Connection, id: &str) -> Result<Option<(JobRow, Vec<StepRow>)>> {
    Ok(jobs(c, &format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1"), [id])?.pop())
}

fn jobs(c: &Connection, sql: &str, params: impl Params) -> Result<Vec<(JobRow, Vec<StepRow>)>> {
    let mut statement = c.prepare(sql)?;
    let rows: Result<Vec<JobRow>> = statement.query_map(params, job_row)?.collect();
    rows?.into_iter().map(|row| Ok((steps(c, row.number)?, row))).map(|r| r.map(|(s, j)| (j, s))).collect()
}

fn job_row(r: &SqlRow<'_>) -> Result<JobRow> {
    Ok(JobRow {
        number: r.get(0)?,
        id: r.get(1)?,
        target: r.get(2)?,
        request: r.get(3)?,
        terms: r.get(4)?,
        accepted_ms: r.get(5)?,
        state: r.get(6)?,
    })
}

fn steps(c: &Connection, number: i64) -> Result<Vec<StepRow>> {
    let mut statement = c.prepare(
        "SELECT seq, at_ms, age_ms, kind, evidence, event FROM job_steps WHERE job = ?1 AND event <> '' ORDER BY seq",
    )?;
    let row = |r: &SqlRow<'_>| {
        Ok(StepRow {
            seq: r.get(0)?,
            at_ms: r.get(1)?,
            age_ms: r.get(2)?,
            kind: r.get(3)?,
            evidence: r.get(4)?,
            event: r.get(5)?,
            end: None,
            reopens: false,
            keep_request: true,
            output: None,
        })
    };
    statement.query_map([number], row)?.collect()
}

pub(super) fn takes_input(c: &Connection, sha256: &str) -> Result<bool> {
    c.prepare("SELECT EXISTS (SELECT 1 FROM job_inputs WHERE sha256 = ?1)")?.query_row([sha256], |r| r.get(0))
}

/// Which files lie in the state directory: those at a place of the caller's are the caller's, and count for nothing.
const HERE: &str = "slot = ''";

pub(super) fn weight(c: &Connection) -> Result<u64> {
    let sum = format!("SELECT coalesce(sum(bytes), 0) FROM job_outputs WHERE {HERE}");
    let bytes: i64 = c.prepare(&sum)?.query_row((), |r| r.get(0))?;
    Ok(u64::try_from(bytes).unwrap_or(0))
}

pub(super) fn erase(t: &Transaction<'_>, number: i64) -> Result<Swept> {
    let mut swept = Swept::default();
    erase_into(t, number, &mut swept)?;
    Ok(swept)
}

fn erase_into(t: &Transaction<'_>, number: i64, swept: &mut Swept) -> Result<()> {
    let id: Option<String> = t
        .prepare("SELECT id FROM jobs WHERE number = ?1 AND ended_ms IS NOT NULL")?
        .query_row([number], |r| r.get(0))
        .optional()?;
    let Some(id) = id else { return Ok(()) };
    let bytes: i64 = t
        .prepare(&format!("SELECT coalesce(sum(bytes), 0) FROM job_outputs WHERE job = ?1 AND {HERE}"))?
        .query_row([number], |r| r.get(0))?;
    let free: Result<Vec<String>> = t
        .prepare(
            "SELECT sha256 FROM job_inputs i WHERE job = ?1
             AND NOT EXISTS (SELECT 1 FROM job_inputs o WHERE o.sha256 = i.sha256 AND o.job <> ?1)",
        )?
        .query_map([number], |r| r.get(0))?
        .collect();
    for table in ["job_steps", "job_outputs", "job_inputs"] {
        t.prepare(&format!("DELETE FROM {table} WHERE job = ?1"))?.execute([number])?;
    }
    t.prepare("DELETE FROM jobs WHERE number = ?1")?.execute([number])?;
    swept.jobs.push(id);
    swept.inputs.append(&mut free?);
    swept.bytes += u64::try_from(bytes).unwrap_or(0);
    Ok(())
}

pub(super) fn sweep(t: &Transaction<'_>, bounds: &JobsConfig, now_ms: i64) -> Result<Swept> {
    let oldest = now_ms.saturating_sub(i64::try_from(bounds.keep.as_millis()).unwrap_or(i64::MAX));
    let ended: Result<Vec<(i64, i64, i64)>> = t
        .prepare(&format!(
            "SELECT number, ended_ms,
                    (SELECT coalesce(sum(bytes), 0) FROM job_outputs WHERE job = number AND {HERE})
             FROM jobs WHERE ended_ms IS NOT NULL ORDER BY ended_ms, number",
        ))?
        .query_map((), |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?
        .collect();
    let ended = ended?;
    let mut bytes = saturated(weight(t)?);
    let mut surplus = ended.len().saturating_sub(bounds.ended as usize);
    let mut swept = Swept::default();
    for (number, ended_ms, theirs) in ended {
        let too_large = bytes > saturated(bounds.outputs) && theirs > 0;
        if ended_ms < oldest || surplus > 0 || too_large {
            erase_into(t, number, &mut swept)?;
            surplus = surplus.saturating_sub(1);
            bytes -= theirs;
        }
    }
    t.prepare("DELETE FROM job_keys WHERE ended_ms < ?1 AND job NOT IN (SELECT id FROM jobs)")?
        .execute([oldest])?;
    Ok(swept)
}

fn saturated(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
