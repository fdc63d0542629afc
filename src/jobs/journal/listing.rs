//! Which jobs there are.

use rusqlite::{Connection, params};

/// Which part of the jobs is asked for.
pub(super) struct Part {
    pub(super) before: i64,
    /// Ends that are asked for, each between commas; every one where it is empty.
    pub(super) ends: String,
    /// Whether open jobs are asked for.
    pub(super) open: bool,
    pub(super) limit: i64,
}

/// Numbers and ids of jobs, the newest first.
pub(super) fn ids(c: &Connection, part: &Part) -> rusqlite::Result<Vec<(i64, String)>> {
    c.prepare(
        "SELECT number, id FROM jobs
         WHERE number < ?1 AND iif(state IS NULL, ?2, ?3 = '' OR instr(?3, ',' || state || ',') > 0)
         ORDER BY number DESC LIMIT ?4",
    )?
    .query_map(params![part.before, part.open, part.ends, part.limit], |r| Ok((r.get(0)?, r.get(1)?)))?
    .collect()
}
