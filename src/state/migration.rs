//! The schema, as numbered steps from one version to the next.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// One step of the schema. What a released step did never changes; a change is a new step.
struct Migration {
    number: u32,
    name: &'static str,
    step: Step,
}

#[allow(dead_code, reason = "a step that SQL cannot express is code")]
enum Step {
    Sql(&'static str),
    Code(fn(&Transaction<'_>) -> rusqlite::Result<()>),
}

/// All steps, ascending by number. Numbers may be missing.
const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "meta", step: Step::Sql(include_str!("schema/001_meta.sql")) },
    Migration { number: 2, name: "settings", step: Step::Sql(include_str!("schema/002_settings.sql")) },
    Migration { number: 3, name: "history", step: Step::Sql(include_str!("schema/003_history.sql")) },
    Migration { number: 4, name: "notices", step: Step::Sql(include_str!("schema/004_notices.sql")) },
    Migration { number: 5, name: "jobs", step: Step::Sql(include_str!("schema/005_jobs.sql")) },
    Migration { number: 9, name: "sessions", step: Step::Sql(include_str!("schema/009_sessions.sql")) },
];

/// Marks a file as Backline's: "BKLN".
pub(super) const APPLICATION: i32 = 0x424b_4c4e;

/// The version of the schema that this Backline writes.
pub(super) fn newest() -> u32 {
    MIGRATIONS.last().map_or(0, |last| last.number)
}

/// Takes the steps up to a version that the database lacks, each in a transaction of its own.
pub(super) fn migrate(connection: &Connection, up_to: u32) -> rusqlite::Result<()> {
    let before = version(connection)?;
    let applied = if before == 0 { Vec::new() } else { applied(connection)? };
    let missing = MIGRATIONS.iter().filter(|m| m.number <= up_to && !applied.contains(&m.number));
    for migration in missing {
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        match migration.step {
            Step::Sql(sql) => transaction.execute_batch(sql)?,
            Step::Code(code) => code(&transaction)?,
        }
        transaction.execute(
            "INSERT INTO migrations (number, name, applied_at) VALUES (?1, ?2, ?3)",
            (migration.number, migration.name, jiff::Timestamp::now().to_string()),
        )?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        // A step that came late, with a number below, takes nothing back.
        transaction.pragma_update(None, "user_version", migration.number.max(before))?;
        transaction.commit()?;
        tracing::debug!(number = migration.number, name = migration.name, "the state database's schema grew");
    }
    Ok(())
}

/// The version of the schema that the database has.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<u32>> {
    let mut statement = connection.prepare("SELECT number FROM migrations")?;
    statement.query_map((), |row| row.get(0))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_ascend_and_are_taken_once() {
        assert!(MIGRATIONS.windows(2).all(|pair| pair[0].number < pair[1].number));
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, newest()).unwrap();
        migrate(&connection, newest()).unwrap();
        assert_eq!(version(&connection).unwrap(), newest());
        assert_eq!(applied(&connection).unwrap(), MIGRATIONS.iter().map(|m| m.number).collect::<Vec<_>>());
    }
}
