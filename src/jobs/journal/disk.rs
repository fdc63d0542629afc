//! The journal in the state database.
//!
//! The store commits in groups: acceptances and steps that wait together share one transaction and one
//! synchronisation with the disk.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use super::{Accepted, Entry, Loaded, Span, Step, Swept, codec, listing, table};
use crate::{
    config::JobsConfig,
    error::Error,
    model::{Code, Fault, JobId},
    state::{Store, Trouble},
};

/// The durable journal. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    store: Store,
    bounds: watch::Receiver<JobsConfig>,
    /// Told when the files of jobs became more or fewer.
    weighed: Arc<Notify>,
}

impl Disk {
    pub(crate) fn new(store: Store, bounds: watch::Receiver<JobsConfig>) -> Self {
        Self { store, bounds, weighed: Arc::default() }
    }

    /// Takes a job: it is on the disk once this is Ok. The same key returns the first job; two at once make one.
    ///
    /// # Errors
    /// `key_conflict`: the key stands for another request. `journal_full`: too many jobs are open. The disk's.
    pub(crate) async fn accept(&self, entry: Entry) -> Result<Accepted, Error> {
        let row = codec::row(&entry).map_err(Error::Fault)?;
        let key = entry.key.clone().unwrap_or_default();
        let open = self.bounds.borrow().open;
        let told = self.store.write("a job's acceptance", move |t| table::accept(t, &row, open)).await?;
        match told {
            table::Told::New { number } => Ok(Accepted::New { number }),
            table::Told::Known { id, state } => {
                Ok(Accepted::Known { id: codec::id(&id)?, state: state.as_deref().and_then(codec::state) })
            }
            table::Told::Conflict { id } => {
                let text = format!("the key `{key}` stands for another request, which became the job {id}");
                Err(Error::Fault(Fault::new(Code::KeyConflict, text)))
            }
            table::Told::Full => {
                let text = format!("{open} jobs are under way or wait already");
                Err(Error::Fault(Fault::new(Code::JournalFull, text)))
            }
        }
    }

    /// Writes a step down; done twice it is there once, so that a write of unknown outcome is simply repeated.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn append(&self, number: i64, step: &Step) -> Result<(), Trouble> {
        let row = codec::step_row(step);
        let weighs = row.output.is_some();
        self.store.write("a job's step", move |t| table::append(t, number, &row)).await?;
        if weighs {
            self.weighed.notify_one();
        }
        Ok(())
    }

    /// All open jobs in the order of their acceptance, and the last ended ones, with their steps.
    ///
    /// # Errors
    /// The disk's. A job that cannot be read is named in its place and harms no other.
    pub(crate) async fn load(&self, ended: u32) -> Result<Vec<Loaded>, Trouble> {
        let rows = self.store.read("the jobs", move |c| table::load(c, ended)).await?;
        Ok(rows.into_iter().filter_map(codec::loaded).collect())
    }

    /// One job.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn find(&self, id: JobId) -> Result<Option<Loaded>, Trouble> {
        let row = self.store.read("a job", move |c| table::find(c, &id.to_string())).await?;
        Ok(row.and_then(codec::loaded))
    }

    /// Numbers and ids of jobs, the newest first.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn ids(&self, span: &Span) -> Result<Vec<(i64, JobId)>, Trouble> {
        let part = codec::part(span);
        let found = self.store.read("which jobs there are", move |c| listing::ids(c, &part)).await?;
        Ok(found.into_iter().filter_map(|(number, id)| Some((number, codec::id(&id).ok()?))).collect())
    }

    /// Erases an ended job; its key stays for its time. Answers the names of what it left on the disk.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn erase(&self, number: i64) -> Result<Swept, Trouble> {
        let swept = self.store.write("a job's erasure", move |t| table::erase(t, number)).await?;
        if swept.bytes > 0 {
            self.weighed.notify_one();
        }
        Ok(swept)
    }

    /// Bytes of files that jobs left in the state directory.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn weight(&self) -> Result<u64, Trouble> {
        self.store.read("the weight of the jobs' files", table::weight).await
    }

    /// Returns once the files of jobs became more or fewer.
    pub(crate) async fn weighed(&self) {
        self.weighed.notified().await;
    }

    /// Whether a job takes the file with this hash.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn takes_input(&self, sha256: &str) -> Result<bool, Trouble> {
        let sha256 = sha256.to_owned();
        self.store.read("the files of jobs", move |c| table::takes_input(c, &sha256)).await
    }

    /// Erases what is over these bounds: too old, too many, too large; the oldest ended ones first.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn sweep(&self, bounds: JobsConfig, now: Timestamp) -> Result<Swept, Trouble> {
        let now = now.as_millisecond();
        self.store.write("the sweep of the jobs", move |t| table::sweep(t, &bounds, now)).await
    }

    /// The disk.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}
