//! A supervisor with a state directory, which a test ends as a kill would and starts again.

use std::{path::PathBuf, sync::Arc, time::Duration};

use backline::{
    Error, Supervisor,
    config::Config,
    jobs::JobHandle,
    model::{JobId, JobState, JobStatus},
    state::Store,
};
use sha2::{Digest, Sha256};

/// Longest wait for anything; far above what is needed, so that only a hang meets it.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Where it lives.
pub(crate) struct Home {
    config: Config,
    directory: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts it, once the one before has given the state directory back: that takes a moment after a drop.
    pub(crate) async fn start(&self) -> Supervisor {
        let begun = tokio::time::Instant::now();
        loop {
            let builder = Supervisor::builder().config(self.config.clone()).state_dir(self.path("state"));
            match builder.start().await {
                Ok(supervisor) => return supervisor,
                Err(Error::State(_)) if begun.elapsed() < LIMIT => {
                    // Nobody tells us when a lock is given back.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Starts it over a store whose disk a test makes fail.
    pub(crate) async fn start_over(&self, store: Store) -> Supervisor {
        Supervisor::builder().config(self.config.clone()).store(store).start().await.unwrap()
    }
}

/// Waits until a job is as `fits` says.
pub(crate) async fn until(job: &JobHandle, fits: impl Fn(&JobStatus) -> bool) -> Arc<JobStatus> {
    let mut cell = job.watch();
    let met = tokio::time::timeout(LIMIT, cell.wait_for(|now| fits(now))).await;
    let Ok(Ok(met)) = met else { panic!("it never became so: {:#?}", job.status()) };
    met.clone()
}

/// Its end, which has its evidence.
pub(crate) async fn end(job: &JobHandle) -> Arc<JobStatus> {
    let ended = tokio::time::timeout(LIMIT, job.outcome()).await;
    let status = ended.unwrap_or_else(|_| panic!("no end: {:#?}", job.status()));
    judge(&status);
    status
}

/// The end of a job of an earlier run.
pub(crate) async fn end_of(supervisor: &Supervisor, id: JobId) -> Arc<JobStatus> {
    end(&supervisor.job(id).await.unwrap()).await
}

/// What holds for every end: it is one, it has evidence, and what is called done has all its outputs, hashed rightly.
pub(crate) fn judge(status: &JobStatus) {
    assert!(status.state.is_end(), "{status:#?}");
    let last = status.timeline.last().unwrap();
    assert!(last.state == status.state && !last.evidence.is_empty(), "no evidence: {status:#?}");
    let ends = status.timeline.iter().filter(|step| step.state.is_end()).count();
    assert_eq!(ends, 1, "it ended more than once: {status:#?}");
    assert_eq!(status.error.is_none(), matches!(status.state, JobState::Done | JobState::Cancelled));
    if let Some(fault) = &status.error {
        assert!(!fault.message().is_empty() && !fault.fix().is_empty(), "{status:#?}");
    }
    for output in &status.outputs {
        let bytes = std::fs::read(&output.url).unwrap_or_else(|e| panic!("{}: {e}", output.url));
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((hash, bytes.len() as u64), (output.sha256.clone(), output.bytes));
    }
}
