use std::sync::Arc;

use backline_supervisors::TreeSnapshot;
use tokio::sync::watch;

use super::*;
use crate::{
    connection::alarm::Task,
    hub::Hub,
    jobs::journal::{Journal, tests::leaves},
    model::JobId,
    notices::{Desk, Wanted},
    roster::Roster,
    state::{Serving, Store},
};

struct Place {
    setup: Setup,
    bounds: watch::Sender<JobsConfig>,
    _directory: tempfile::TempDir,
    _serving: Serving,
}

impl Place {
    async fn new(bounds: JobsConfig) -> Self {
        let store = Store::in_memory().await.unwrap();
        let serving = store.serve();
        let (hub, bounds) = (Arc::new(Hub::new(TreeSnapshot::down("root"))), watch::Sender::new(bounds));
        let directory = tempfile::tempdir().unwrap();
        let setup = Setup {
            roster: Arc::new(Roster::default()),
            desk: Desk::new(hub.clone()),
            hub,
            journal: Journal::new(Some(store), bounds.subscribe()),
            shelf: Arc::default(),
            bounds: bounds.subscribe(),
            settled: watch::Sender::new(true).subscribe(),
            outputs: Some(directory.path().to_owned()),
            inputs: None,
        };
        Self { setup, bounds, _directory: directory, _serving: serving }
    }

    /// A job that has ended, with a directory of its own.
    async fn leaves(&self, bytes: u64) -> JobId {
        let Journal::Disk(disk) = &self.setup.journal else { panic!("it is in memory") };
        let id = leaves(disk, bytes, None).await;
        std::fs::create_dir(self.place(id)).unwrap();
        id
    }

    fn place(&self, id: JobId) -> std::path::PathBuf {
        self.setup.directory(id, None).unwrap()
    }

    async fn is_there(&self, id: JobId) -> bool {
        let kept = self.setup.journal.find(id).await.unwrap().is_some();
        assert_eq!(kept, self.place(id).exists(), "the journal and the disk agree");
        kept
    }

    fn told(&self) -> Vec<String> {
        let open = self.setup.desk.list(Wanted::All).into_iter().filter(|n| n.cleared_at.is_none());
        open.map(|notice| notice.message).collect()
    }
}

/// The jobs of these tests ended long ago.
fn ample() -> JobsConfig {
    JobsConfig { keep: Duration::from_secs(100 * 365 * 86_400), ..JobsConfig::default() }
}

/// Long enough for a look, and no sweep.
const A_LOOK: Duration = Duration::from_secs(2);

#[tokio::test(start_paused = true)]
async fn a_notice_comes_before_the_oldest_outputs_go_and_ends_by_itself() {
    let place = Place::new(JobsConfig { outputs: 1000, ..ample() }).await;
    let first = place.leaves(300).await;
    let _upkeep = Task::spawn(keep_within_bounds(place.setup.clone()));
    tokio::time::sleep(A_LOOK).await;
    assert_eq!(place.told(), [""; 0]);
    let second = place.leaves(600).await;
    tokio::time::sleep(A_LOOK).await;
    assert_eq!(place.told(), ["the files of jobs take 900 B of 1000 B"]);
    let third = place.leaves(400).await;
    tokio::time::sleep(WARNING - 3 * A_LOOK).await;
    assert!(place.told()[0].contains("1.3 KiB of 1000 B; 10 minutes"), "{:?}", place.told());
    assert!(place.is_there(first).await, "it was told of, and its time is not over");
    tokio::time::sleep(4 * A_LOOK).await;
    assert_eq!(
        (place.is_there(first).await, place.is_there(second).await, place.is_there(third).await),
        (false, true, true)
    );
    assert!(!place.told().is_empty(), "it is still nearly full");
    // A change of the configuration counts at once.
    place.bounds.send_replace(JobsConfig { outputs: 10_000, ..ample() });
    tokio::time::sleep(A_LOOK).await;
    assert_eq!(place.told(), [""; 0]);
    place.bounds.send_replace(JobsConfig { ended: 1, ..ample() });
    tokio::time::sleep(A_LOOK).await;
    assert_eq!((place.is_there(second).await, place.is_there(third).await), (false, true));
}

#[tokio::test(start_paused = true)]
async fn what_an_edit_of_an_earlier_run_raised_erases_nothing_before_it_counts() {
    let mut place = Place::new(JobsConfig { ended: 1, outputs: 10, ..ample() }).await;
    let settled = watch::Sender::new(false);
    place.setup.settled = settled.subscribe();
    let jobs = [place.leaves(300).await, place.leaves(300).await];
    let _upkeep = Task::spawn(keep_within_bounds(place.setup.clone()));
    tokio::time::sleep(10 * SWEEP).await;
    place.bounds.send_replace(ample());
    settled.send_replace(true);
    tokio::time::sleep(3 * SWEEP).await;
    assert!(place.is_there(jobs[0]).await && place.is_there(jobs[1]).await);
    assert_eq!(place.told(), [""; 0]);
}

#[test]
fn a_size_reads_like_one() {
    let read = [0, 1023, 1024, 1536, 20 << 30, u64::MAX].map(size);
    assert_eq!(read, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "20.0 GiB", "16777216.0 TiB"]);
}
