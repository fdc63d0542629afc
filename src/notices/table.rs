//! The notices in the state database.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::{
    model::{
        Code, Notice,
        fault::{MESSAGE_CAP, clean, clean_lines},
        notice::{Hidden, NoticeId},
    },
    notices::{
        book::{HISTORY, KEPT, OPEN},
        catalogue,
        group::{Group, Mute},
        keep::Delta,
    },
};

/// Longest detail that is read back.
const DETAIL_CAP: usize = 4096;

/// What an earlier run left.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(super) notices: Vec<Notice>,
    pub(super) mutes: Vec<(Group, Mute)>,
}

/// Reads what is kept. Rows that this version cannot read are left out: a cause that is unknown here, a hostile value.
pub(super) fn read(on: &Connection) -> rusqlite::Result<Rows> {
    let mut left = Rows::default();
    let mut notices = on.prepare(
        "SELECT id, code, severity, backend, subject, message, fix, count, first_at, last_at, cleared_at, detail, \
         dismissed FROM notices ORDER BY cleared_at IS NOT NULL, cleared_at DESC LIMIT ?1",
    )?;
    let mut found = notices.query([rows(OPEN + HISTORY)])?;
    while let Some(row) = found.next()? {
        left.notices.extend(notice(row)?);
    }
    let mut mutes = on.prepare("SELECT code, backend, subject, until FROM notice_mutes LIMIT ?1")?;
    let mut found = mutes.query([rows(OPEN)])?;
    while let Some(row) = found.next()? {
        left.mutes.extend(mute(row)?);
    }
    Ok(left)
}

/// Writes what changed; done twice, it changes nothing more.
pub(super) fn write(on: &Transaction<'_>, delta: &Delta) -> rusqlite::Result<()> {
    let mut put = on.prepare(
        "INSERT INTO notices (id, code, severity, backend, subject, message, fix, count, first_at, last_at, \
         cleared_at, detail, dismissed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
         ON CONFLICT (id) DO UPDATE SET severity = ?3, message = ?6, fix = ?7, count = ?8, first_at = ?9, \
         last_at = ?10, cleared_at = ?11, detail = ?12, dismissed = ?13",
    )?;
    for n in &delta.notices {
        put.execute(params![
            n.id.number().cast_signed(),
            n.code.as_str(),
            n.severity.as_str(),
            n.backend.as_ref().map(|b| b.as_str()),
            n.subject,
            n.message,
            n.fix,
            i64::try_from(n.count).unwrap_or(i64::MAX),
            n.first_at.as_microsecond(),
            n.last_at.as_microsecond(),
            n.cleared_at.map(Timestamp::as_microsecond),
            n.detail,
            n.hidden == Some(Hidden::Dismissed),
        ])?;
    }
    if let Some(mutes) = &delta.mutes {
        on.execute("DELETE FROM notice_mutes", ())?;
        let mut put = on.prepare("INSERT INTO notice_mutes VALUES (?1, ?2, ?3, ?4)")?;
        for (group, mute) in mutes {
            let until = match mute {
                Mute::Until(end) => Some(end.as_microsecond()),
                Mute::ForGood => None,
            };
            put.execute(params![
                group.code.as_str(),
                group.backend.as_ref().map(|b| b.as_str()),
                group.subject,
                until
            ])?;
        }
    }
    prune(on, delta.at)
}

/// History beyond its bounds.
fn prune(on: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    let oldest = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN).as_microsecond();
    let beyond: Option<i64> = on
        .query_row(
            "SELECT cleared_at FROM notices WHERE cleared_at IS NOT NULL ORDER BY cleared_at DESC LIMIT 1 OFFSET ?1",
            [rows(HISTORY)],
            |row| row.get(0),
        )
        .optional()?;
    let limit = beyond.map_or(oldest - 1, |beyond| beyond.max(oldest - 1));
    on.execute("DELETE FROM notices WHERE cleared_at <= ?1", [limit]).map(|_| ())
}

/// A count of rows, as SQL takes it.
fn rows(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn notice(row: &Row<'_>) -> rusqlite::Result<Option<Notice>> {
    let (Some(group), Ok(severity)) =
        (group(row, 1, 3, 4)?, row.get_ref(2)?.as_str().unwrap_or_default().parse())
    else {
        return Ok(None);
    };
    let time = |index| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(index)?.and_then(|at| Timestamp::from_microsecond(at).ok()))
    };
    let (Some(first_at), Some(last_at)) = (time(8)?, time(9)?) else { return Ok(None) };
    let id: i64 = row.get(0)?;
    Ok(Some(Notice {
        id: NoticeId::new(id.cast_unsigned()),
        code: group.code,
        severity,
        backend: group.backend,
        subject: group.subject,
        title: catalogue::entry(group.code).title,
        message: clean(&row.get::<_, String>(5)?, MESSAGE_CAP),
        fix: clean(&row.get::<_, String>(6)?, MESSAGE_CAP),
        count: u64::try_from(row.get::<_, i64>(7)?).unwrap_or_default(),
        first_at,
        last_at,
        cleared_at: time(10)?,
        detail: row.get::<_, Option<String>>(11)?.map(|detail| clean_lines(&detail, DETAIL_CAP)),
        hidden: row.get::<_, bool>(12)?.then_some(Hidden::Dismissed),
    }))
}

fn mute(row: &Row<'_>) -> rusqlite::Result<Option<(Group, Mute)>> {
    let Some(group) = group(row, 0, 1, 2)? else { return Ok(None) };
    Ok(match row.get::<_, Option<i64>>(3)? {
        None => Some((group, Mute::ForGood)),
        Some(end) => Timestamp::from_microsecond(end).ok().map(|end| (group, Mute::Until(end))),
    })
}

fn group(row: &Row<'_>, code: usize, backend: usize, subject: usize) -> rusqlite::Result<Option<Group>> {
    let name: String = row.get(code)?;
    let Some(code) = Code::ALL.iter().copied().find(|c| c.as_str() == name) else { return Ok(None) };
    let backend = match row.get::<_, Option<String>>(backend)? {
        None => None,
        Some(text) => match text.parse() {
            Ok(id) => Some(id),
            Err(_) => return Ok(None),
        },
    };
    let subject = row.get::<_, Option<String>>(subject)?.map(|text| clean(&text, MESSAGE_CAP));
    Ok(Some(Group { backend, code, subject }))
}

#[cfg(test)]
mod tests;
