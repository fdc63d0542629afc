//! The law of jobs: what was accepted, and each step since, kept before anything follows from it.
//!
//! With a state directory it is on the disk; without one it is in memory, and ends with the process.

#[cfg(feature = "state")]
mod codec;
#[cfg(feature = "state")]
mod disk;
mod entry;
#[cfg(feature = "state")]
mod listing;
mod memory;
#[cfg(feature = "state")]
mod table;

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

pub(crate) use self::entry::{Accepted, Entry, Loaded, Request, Span, Step, Swept};
use self::memory::Memory;
use crate::{
    config::JobsConfig,
    error::Error,
    model::JobId,
    state::{Store, Trouble},
};

/// The journal. Cheap to clone; good across restarts of those who use it.
#[derive(Debug, Clone)]
pub(crate) enum Journal {
    #[cfg(feature = "state")]
    Disk(disk::Disk),
    Memory(Arc<Memory>),
}

impl Journal {
    /// In the store, or in memory without one.
    pub(crate) fn new(store: Option<Store>, bounds: watch::Receiver<JobsConfig>) -> Self {
        match store {
            #[cfg(feature = "state")]
            Some(store) => Self::Disk(disk::Disk::new(store, bounds)),
            #[cfg(not(feature = "state"))]
            Some(store) => match store {},
            None => Self::Memory(Arc::new(Memory::new(bounds))),
        }
    }

    /// Whether jobs outlive the process.
    pub(crate) fn is_durable(&self) -> bool {
        !matches!(self, Self::Memory(_))
    }

    /// Takes a job: it is kept once this is Ok. The same key returns the first job; two at once make one.
    ///
    /// # Errors
    /// `key_conflict`: the key stands for another request. `journal_full`: too many jobs are open. The disk's.
    pub(crate) async fn accept(&self, entry: Entry) -> Result<Accepted, Error> {
        match self {
            #[cfg(feature = "state")]
            Self::Disk(disk) => disk.accept(entry).await,
            Self::Memory(memory) => memory.accept(&entry),
        }
    }

    /// Writes a step down; done twice it is there once, so that a write of unknown outcome is simply repeated.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn append(&self, number: i64, id: JobId, step: &Step) -> Result<(), Trouble> {
        match self {
            #[cfg(feature = "state")]
            Self::Disk(disk) => disk.append(number, step).await,
            Self::Memory(memory) => {
                memory.note(number, id, step);
                Ok(())
            }
        }
    }

    /// All open jobs in the order of their acceptance, and the last ended ones, with their steps.
    ///
    /// # Errors
    /// The disk's. A job that cannot be read is named in its place and harms no other.
    pub(crate) async fn load(&self, ended: u32) -> Result<Vec<Loaded>, Trouble> {
        match self {
            #[cfg(feature = "state")]
            Self::Disk(disk) => disk.load(ended).await,
            // What it knew ended with those who worked on it.
            Self::Memory(_) => {
                let _ = ended;
                Ok(Vec::new())
            }
        }
    }

    /// One job, where the disk has it.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn find(&self, id: JobId) -> Result<Option<Loaded>, Trouble> {
        match self {
            #[cfg(feature = "state")]
            Self::Disk(disk) => disk.find(id).await,
            Self::Memory(_) => {
                let _ = id;
                Ok(None)
            }
        }
    }

    /// Numbers and ids of jobs on the disk, the newest first.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn ids(&self, span: &Span) -> Result<Vec<(i64, JobId)>, Trouble> {
        match self {
            #[cfg(feature = "state")]
            Self::Disk(disk) => disk.ids(span).await,
            Self::Memory(_) => {
                let _ = span;
                Ok(Vec::new())
            }
        }
    }

    /// Erases an ended job; its key stays for its time.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn erase(&self, number: i64, id: JobId) -> Result<Swept, Trouble> {
        match self {
            #[cfg(feature = "state")]
            Self::Disk(disk) => disk.erase(number).await,
            Self::Memory(memory) => {
                let _ = number;
                Ok(memory.erase(id))
            }
        }
    }

    /// Whether a job takes the file with this hash.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn takes_input(&self, sha256: &str) -> Result<bool, Trouble> {
        match self {
            #[cfg(feature = "state")]
            Self::Disk(disk) => disk.takes_input(sha256).await,
            // Without a disk nothing is copied.
            Self::Memory(_) => {
                let _ = sha256;
                Ok(false)
            }
        }
    }

    /// Erases what is over these bounds: too old, too many, too large; the oldest ended ones first.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn sweep(&self, bounds: JobsConfig) -> Result<Swept, Trouble> {
        match self {
            #[cfg(feature = "state")]
            Self::Disk(disk) => disk.sweep(bounds, jiff::Timestamp::now()).await,
            Self::Memory(_) => {
                let _ = bounds;
                Ok(Swept::default())
            }
        }
    }

    /// Bytes of files that jobs left in the state directory.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn weight(&self) -> Result<u64, Trouble> {
        match self {
            #[cfg(feature = "state")]
            Self::Disk(disk) => disk.weight().await,
            // Without a state directory all files lie at places of callers.
            Self::Memory(_) => Ok(0),
        }
    }

    /// Returns once the files of jobs became more or fewer.
    pub(crate) async fn weighed(&self) {
        match self {
            #[cfg(feature = "state")]
            Self::Disk(disk) => disk.weighed().await,
            Self::Memory(_) => std::future::pending().await,
        }
    }

    /// Nobody works on its open jobs any more. On the disk they wait for the next who does.
    pub(crate) fn abandon(&self) {
        match self {
            #[cfg(feature = "state")]
            Self::Disk(_) => {}
            Self::Memory(memory) => memory.abandon(),
        }
    }

    /// Waits until it may take writes again.
    pub(crate) async fn well(&self) {
        match self {
            #[cfg(feature = "state")]
            Self::Disk(disk) => {
                // A store that ended takes none any more: the wait ends with whoever waits.
                let _ = disk.store().watch().wait_for(crate::state::Condition::is_open).await;
            }
            Self::Memory(_) => {}
        }
    }
}

/// The age of a job in whole milliseconds, as the journal keeps it: live and replayed decisions see the same.
pub(crate) fn age(age: Duration) -> Duration {
    Duration::from_millis(u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
#[cfg(feature = "state")]
pub(crate) mod tests;
