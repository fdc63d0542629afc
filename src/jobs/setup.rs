//! What the jobs' actor works with.

use std::{io::ErrorKind, path::PathBuf, sync::Arc};

use tokio::sync::watch;

use crate::{
    config::JobsConfig,
    hub::Hub,
    jobs::{
        inputs::Inputs,
        journal::{Journal, Swept},
        shelf::Shelf,
    },
    model::{JobId, Work},
    notices::Desk,
    roster::Roster,
};

/// What the actor works with; it outlives its incarnations.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) roster: Arc<Roster>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) journal: Journal,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) desk: Desk,
    /// How much is kept.
    pub(crate) bounds: watch::Receiver<JobsConfig>,
    /// True once every backend of an earlier run is there again.
    pub(crate) settled: watch::Receiver<bool>,
    /// Where files go that no caller named a place for.
    pub(crate) outputs: Option<PathBuf>,
    /// The files that jobs take.
    pub(crate) inputs: Option<Arc<Inputs>>,
}

impl Setup {
    /// Where the files of a job go: its caller's place, or its own.
    pub(crate) fn directory(&self, id: JobId, named: Option<PathBuf>) -> Option<PathBuf> {
        named.or_else(|| Some(self.outputs.as_ref()?.join(id.to_string())))
    }

    /// The work as a backend takes it: with paths in place of the hashes of its files.
    pub(crate) fn located(&self, work: Work) -> Work {
        match &self.inputs {
            Some(inputs) => inputs.located(&work),
            None => work,
        }
    }

    /// Forgets erased jobs, and removes what they left on the disk.
    pub(crate) async fn clear(&self, swept: &Swept) {
        for id in swept.jobs.iter().filter_map(|job| job.parse().ok()) {
            self.shelf.take(id);
        }
        if let Some(inputs) = &self.inputs {
            inputs.remove(&swept.inputs, &self.journal).await;
        }
        let Some(outputs) = &self.outputs else { return };
        for job in &swept.jobs {
            // A name of our own making: an id. One that left nothing has no directory.
            match tokio::fs::remove_dir_all(outputs.join(job)).await {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(job, %error, "what an erased job left could not be removed"),
            }
        }
    }
}
