//! Sorts SQLite's errors: whose fault is it, and what does it mean to a person.

use rusqlite::{Error, ErrorCode};

use super::{Cause, Trouble};

/// The trouble that an error means.
pub(super) fn trouble(what: &str, error: &Error) -> Trouble {
    let cause = cause(error);
    let message = match cause {
        Cause::Full => format!("the disk is full ({error})"),
        Cause::Io => format!("the disk reports an error ({error})"),
        Cause::ReadOnly => format!("the state database cannot be written ({error})"),
        Cause::Locked => format!("another program holds the state database locked ({error})"),
        Cause::Damaged => format!("the state database is damaged ({error})"),
        Cause::Conflict => format!("it contradicts what stands in the state database ({error})"),
        _ => format!("the state database refuses what was asked ({error})"),
    };
    Trouble::new(what, cause, message)
}

fn cause(error: &Error) -> Cause {
    let Some(code) = error.sqlite_error_code() else { return Cause::Rejected };
    match code {
        ErrorCode::DiskFull => Cause::Full,
        ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory | ErrorCode::CannotOpen => Cause::Io,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Cause::ReadOnly,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            Cause::Locked
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Cause::Damaged,
        ErrorCode::ConstraintViolation => Cause::Conflict,
        _ => Cause::Rejected,
    }
}

/// Whether the error is one operation's own. Any other one is the database's, and ends its whole batch.
pub(super) fn is_own(error: &Error) -> bool {
    matches!(cause(error), Cause::Conflict | Cause::Rejected)
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn a_full_disk_ends_the_batch_and_a_taken_key_does_not() {
        let of = |code| Error::SqliteFailure(ffi::Error::new(code), None);
        let expected = [
            (ffi::SQLITE_FULL, Cause::Full, false),
            (ffi::SQLITE_IOERR_FSYNC, Cause::Io, false),
            (ffi::SQLITE_READONLY_DBMOVED, Cause::ReadOnly, false),
            (ffi::SQLITE_BUSY, Cause::Locked, false),
            (ffi::SQLITE_CORRUPT_INDEX, Cause::Damaged, false),
            (ffi::SQLITE_NOTADB, Cause::Damaged, false),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, Cause::Conflict, true),
            (ffi::SQLITE_ERROR, Cause::Rejected, true),
        ];
        for (code, cause, own) in expected {
            let trouble = trouble("a test", &of(code));
            assert_eq!((trouble.cause(), is_own(&of(code))), (cause, own), "{code}");
            assert!(!trouble.fix().is_empty());
        }
        assert_eq!(trouble("a test", &Error::QueryReturnedNoRows).cause(), Cause::Rejected);
    }
}
