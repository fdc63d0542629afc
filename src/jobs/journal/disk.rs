//! The journal in the state database.
//!
//! The store commits in groups: acceptances and steps that wait together share one transaction and one
//! synchronisation with the disk.

use jiff::Timestamp;

use super::{Accepted, Bounds, Entry, Loaded, Step, Swept, codec, table};
use crate::{
    error::Error,
    model::{Code, Fault, JobId},
    state::{Store, Trouble},
};

/// The durable journal. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    store: Store,
    bounds: Bounds,
}

impl Disk {
    pub(crate) fn new(store: Store, bounds: Bounds) -> Self {
        Self { store, bounds }
    }

    /// Takes a job: it is on the disk once this is Ok. The same key returns the first job; two at once make one.
    ///
    /// # Errors
    /// `key_conflict`: the key stands for another request. `journal_full`: too many jobs are open. The disk's.
    pub(crate) async fn accept(&self, entry: Entry) -> Result<Accepted, Error> {
        let row = codec::row(&entry).map_err(Error::Fault)?;
        let key = entry.key.clone().unwrap_or_default();
        let open = self.bounds.open;
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
        self.store.write("a job's step", move |t| table::append(t, number, &row)).await
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

    /// Erases an ended job; its key stays for its time. Answers the names of what it left on the disk.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn erase(&self, number: i64) -> Result<Swept, Trouble> {
        self.store.write("a job's erasure", move |t| table::erase(t, number)).await
    }

    /// Whether a job takes the file with this hash.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn takes_input(&self, sha256: &str) -> Result<bool, Trouble> {
        let sha256 = sha256.to_owned();
        self.store.read("the files of jobs", move |c| table::takes_input(c, &sha256)).await
    }

    /// Erases what is over the bounds: too old, too many, too large; the oldest ended ones first.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn sweep(&self, now: Timestamp) -> Result<Swept, Trouble> {
        let (bounds, now) = (self.bounds, now.as_millisecond());
        self.store.write("the sweep of the jobs", move |t| table::sweep(t, &bounds, now)).await
    }

    /// The disk.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}
