//! A host without tokio.

use std::time::Duration;

use backline::{Error, Supervisor, Wanted, model::JobState, supervisor::query::HealthOf};
use futures_util::StreamExt;

use crate::world::{Servers, chat};

const LIMIT: Duration = Duration::from_secs(20);

/// The servers live in a runtime of their own; the host has none.
fn servers() -> (tokio::runtime::Runtime, Servers) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let servers = runtime.block_on(Servers::start());
    (runtime, servers)
}

#[test]
fn a_host_without_tokio_works_and_stops_in_order() {
    let (_runtime, servers) = servers();
    let supervisor = Supervisor::builder().config(servers.config()).start_blocking().unwrap();
    supervisor.block_on(supervisor.ready(Wanted::All, LIMIT)).unwrap();
    let job = supervisor.block_on(supervisor.run(chat("stub"))).unwrap();
    let text: Vec<String> = supervisor.block_on(job.deltas().collect());
    assert!(text.concat().starts_with("tok0"), "{text:?}");
    assert_eq!(supervisor.block_on(job.outcome()).state, JobState::Done);
    let health = supervisor.block_on(supervisor.query(HealthOf::id("comfyui")));
    assert!(health.is_ok(), "{health:?}");
    assert!(supervisor.shutdown(LIMIT).is_some_and(|report| report.clean));
}

#[test]
fn dropped_it_ends_at_once_and_a_handle_that_is_left_says_so() {
    let (_runtime, servers) = servers();
    let supervisor = Supervisor::builder().config(servers.config()).start_blocking().unwrap();
    supervisor.block_on(supervisor.ready(Wanted::All, LIMIT)).unwrap();
    let mut snapshots = supervisor.watch();
    drop(supervisor);
    // Its own thread has it closed; this one hears of it as any reader does.
    let elsewhere = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let closed = |s: &std::sync::Arc<backline::Snapshot>| {
        s.backends.iter().all(|b| b.phase == backline::model::Phase::Closed)
    };
    let heard = elsewhere
        .block_on(async { tokio::time::timeout(LIMIT, snapshots.wait_for(closed)).await.map(|s| s.is_ok()) });
    assert_eq!(heard, Ok(true));
}

#[tokio::test]
async fn where_there_is_a_runtime_it_refuses_to_block_it() {
    let refused = Supervisor::builder().start_blocking();
    assert!(matches!(refused, Err(Error::Setup(why)) if why.contains("await `start`")));
}

#[test]
fn what_hinders_a_start_is_told_to_the_caller() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    std::fs::write(&file, "no directory").unwrap();
    assert!(matches!(Supervisor::builder().state_dir(file).start_blocking(), Err(Error::State(_))));
}
