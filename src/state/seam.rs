//! Where a test makes the disk fail.

/// Commits and openings that are to fail. Without the feature `sim` none ever does.
#[derive(Debug, Default)]
pub(super) struct Seam {
    #[cfg(any(test, feature = "sim"))]
    strikes: std::sync::Mutex<Strikes>,
}

#[cfg(any(test, feature = "sim"))]
#[derive(Debug, Default)]
struct Strikes {
    commits_before: u64,
    commits: u64,
    openings: u64,
    done: u64,
}

impl Seam {
    /// Whether this commit fails.
    pub(super) fn commit(&self) -> rusqlite::Result<()> {
        #[cfg(any(test, feature = "sim"))]
        {
            let mut strikes = self.strikes();
            if strikes.commits > 0 {
                if strikes.commits_before > 0 {
                    strikes.commits_before -= 1;
                } else {
                    strikes.commits -= 1;
                    strikes.done += 1;
                    return Err(broken(rusqlite::ffi::SQLITE_IOERR_FSYNC));
                }
            }
        }
        Ok(())
    }

    /// Whether this opening fails.
    pub(super) fn opening(&self) -> rusqlite::Result<()> {
        #[cfg(any(test, feature = "sim"))]
        {
            let mut strikes = self.strikes();
            if strikes.openings > 0 {
                strikes.openings -= 1;
                strikes.done += 1;
                return Err(broken(rusqlite::ffi::SQLITE_IOERR_READ));
            }
        }
        Ok(())
    }
}

#[cfg(any(test, feature = "sim"))]
impl Seam {
    fn strikes(&self) -> std::sync::MutexGuard<'_, Strikes> {
        self.strikes.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The nth commit from now fails (from 1), and `times - 1` more after it.
    pub(super) fn fail_commits(&self, nth: u64, times: u64) {
        let mut strikes = self.strikes();
        (strikes.commits_before, strikes.commits) = (nth.saturating_sub(1), times);
    }

    /// The next openings fail.
    pub(super) fn fail_openings(&self, times: u64) {
        self.strikes().openings = times;
    }

    /// How many failures were played so far.
    pub(super) fn played(&self) -> u64 {
        self.strikes().done
    }
}

#[cfg(any(test, feature = "sim"))]
fn broken(code: std::ffi::c_int) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some("played by a test".to_owned()))
}
