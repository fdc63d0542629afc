//! A stop that somebody asked for: what would die with us is judged, on the disk, before its stream closes; what does not
//! is left running.

use std::time::Duration;

use backline::{
    Wanted,
    jobs::Rerun,
    model::{JobId, JobState},
};

use crate::{
    home::{Home, LIMIT, end_of, until},
    stand::{Column, Stand},
};

/// What the journal has of a job while nobody runs: its end, and the evidence of its last step.
fn on_disk(home: &Home, id: JobId) -> (Option<String>, String) {
    let database = rusqlite::Connection::open(home.path("state/state.db")).unwrap();
    let sql = "SELECT state, (SELECT evidence FROM job_steps WHERE job = number ORDER BY seq DESC LIMIT 1)
               FROM jobs WHERE id = ?1";
    database.query_row(sql, [id.to_string()], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

struct Left {
    stand: Stand,
    home: Home,
    id: JobId,
    report: backline::supervisor::ShutdownReport,
}

/// Stops with a job in the middle, and no grace.
async fn leave(column: Column, rerun: Rerun) -> Left {
    let stand = Stand::start(column).await;
    let home = Home::new(stand.config());
    let supervisor = home.start().await;
    supervisor.ready(Wanted::All, LIMIT).await.unwrap();
    let job = supervisor.run(stand.job(1).rerun(rerun)).await.unwrap();
    // Its first word: a chat has its first byte, a call its first step.
    match column {
        Column::Chat => {
            drop(tokio::time::timeout(LIMIT, futures_util::StreamExt::next(&mut job.deltas())).await)
        }
        _ => drop(until(&job, |status| status.state == JobState::Running && status.progress.is_some()).await),
    }
    let (id, report) = (job.id(), supervisor.shutdown(Duration::ZERO).await);
    assert!(report.clean, "{report:?}");
    assert_eq!(report.unfinished, [id]);
    Left { stand, home, id, report }
}

async fn judged(column: Column) {
    let left = leave(column, Rerun::default()).await;
    assert_eq!(left.report.cut_off, [left.id]);
    let (state, evidence) = on_disk(&left.home, left.id);
    assert_eq!(state.as_deref(), Some("uncertain"));
    assert!(evidence.contains("Backline was stopped"), "{evidence}");
    let supervisor = left.home.start().await;
    let status = end_of(&supervisor, left.id).await;
    assert_eq!((status.state, status.attempts), (JobState::Uncertain, 1));
    let last = &status.timeline.last().unwrap().evidence;
    assert!(last.contains("Backline was stopped"), "{last}");
    assert_eq!(left.stand.begun(), 1);
}

#[tokio::test]
async fn a_call_is_uncertain_on_the_disk_before_its_stream_closes() {
    judged(Column::Generator).await;
}

#[tokio::test]
async fn a_chat_is_uncertain_on_the_disk_before_its_stream_closes() {
    judged(Column::Chat).await;
}

#[tokio::test]
async fn what_may_run_again_waits_for_the_next_start() {
    let left = leave(Column::Generator, Rerun::Always).await;
    assert_eq!((left.report.waiting, left.report.cut_off), (vec![left.id], vec![]));
    assert_eq!(on_disk(&left.home, left.id).0, None);
    let supervisor = left.home.start().await;
    let status = end_of(&supervisor, left.id).await;
    assert_eq!((status.state, status.attempts), (JobState::Done, 2), "{status:#?}");
    assert_eq!(left.stand.begun(), 2);
}

#[tokio::test]
async fn what_survives_us_is_left_running_and_taken_up() {
    let left = leave(Column::Comfyui, Rerun::default()).await;
    assert_eq!(left.report.left_running, [left.id]);
    assert_eq!(on_disk(&left.home, left.id).0, None);
    let supervisor = left.home.start().await;
    let status = end_of(&supervisor, left.id).await;
    assert_eq!((status.state, status.attempts), (JobState::Done, 1), "{status:#?}");
    assert_eq!((left.stand.begun(), left.stand.ended()), (1, 1));
}
