//! More jobs than are remembered: they are listed, shown and counted as the journal has them.

use std::{collections::HashSet, time::Duration};

use backline::{
    Error, Supervisor, Wanted,
    jobs::Selection,
    model::{JobId, JobState},
};
use futures_util::StreamExt;

use crate::{
    home::{Home, LIMIT, end, until},
    stand::{Column, Stand},
};

/// Jobs of long ago beside the one that ran.
const OLD: u64 = 1_500;

/// The job of long ago with this number.
fn old(number: u64) -> JobId {
    format!("00000000-0000-4000-8000-{number:012}").parse().unwrap()
}

/// A home in which a chat was done, and so many before it. Every tenth failed.
async fn filled() -> (Stand, Home, JobId) {
    let stand = Stand::start(Column::Chat).await;
    let home = Home::new(stand.config());
    let first = home.start().await;
    first.ready(Wanted::All, LIMIT).await.unwrap();
    let id = end(&first.run(stand.job(1)).await.unwrap()).await.id;
    first.shutdown(Duration::from_secs(5)).await;
    let database = rusqlite::Connection::open(home.path("state/state.db")).unwrap();
    let copies = format!(
        "UPDATE jobs SET number = 1000000; UPDATE job_steps SET job = 1000000;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {OLD})
         INSERT INTO jobs SELECT i, printf('00000000-0000-4000-8000-%012d', i), target, request, hash, terms,
             accepted_ms - 2000 + i, ended_ms - 2000 + i, iif(i % 10 = 0, 'failed', 'done') FROM jobs, n;
         INSERT INTO job_steps SELECT number, seq, at_ms, age_ms, kind, evidence,
             iif(number % 10 = 0 AND kind = 'finished', '', event)
         FROM job_steps, jobs WHERE job = 1000000 AND number < 1000000;"
    );
    database.execute_batch(&copies).unwrap();
    (stand, home, id)
}

/// All pages of so many jobs each.
async fn pages(supervisor: &Supervisor, states: &[JobState], limit: usize) -> Vec<JobId> {
    let mut asked = Selection::default();
    (asked.states, asked.limit) = (states.to_vec(), limit);
    let mut all = Vec::new();
    loop {
        let page = supervisor.list_jobs(&asked).await.unwrap();
        assert!(page.jobs.len() == limit || page.next.is_none(), "a page is full, or the last");
        all.extend(page.jobs.iter().map(|status| status.id));
        asked.before = page.next;
        if asked.before.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn every_job_is_in_one_page_and_one_of_long_ago_counts_once_and_has_its_text() {
    let (stand, home, last) = filled().await;
    let supervisor = home.start().await;
    supervisor.ready(Wanted::All, LIMIT).await.unwrap();
    let expected: Vec<JobId> = std::iter::once(last).chain((1..=OLD).rev().map(old)).collect();
    for limit in [400, 1_000] {
        assert_eq!(pages(&supervisor, &[], limit).await, expected);
    }
    let failed = pages(&supervisor, &[JobState::Failed, JobState::Running], 70).await;
    assert_eq!(failed, expected.iter().skip(1).copied().step_by(10).collect::<Vec<_>>());
    assert_eq!(pages(&supervisor, &[JobState::Queued], 7).await, []);
    let mut nobody = Selection::default();
    nobody.before = Some(JobId::random());
    assert!(matches!(supervisor.list_jobs(&nobody).await, Err(Error::UnknownJob { .. })));

    // The last thousand were read at the start, and no other counts, however often it is looked up.
    let counted = || supervisor.snapshot().jobs.values().sum::<u64>();
    let mut cell = supervisor.watch();
    let read = cell.wait_for(|now| now.jobs.values().sum::<u64>() >= 1_000);
    tokio::time::timeout(LIMIT, read).await.unwrap().unwrap();
    for number in [1, 2, 1] {
        let job = supervisor.job(old(number)).await.unwrap();
        let status = job.status();
        assert_eq!((status.state, status.backend.as_ref().unwrap().as_str()), (JobState::Done, "b"));
        let result: serde_json::Value = serde_json::from_str(status.result.as_ref().unwrap().get()).unwrap();
        let text: String = job.deltas().collect().await;
        assert!(!text.is_empty());
        assert_eq!(text, result["choices"][0]["message"]["content"].as_str().unwrap());
    }
    assert_eq!(counted(), 1_000);
    // One that runs again is counted where it then is.
    supervisor.retry_job(old(10)).await.unwrap();
    let again = supervisor.job(old(10)).await.unwrap();
    until(&again, |status| status.state == JobState::Done).await;
    assert_eq!(counted(), 1_001);
    assert_eq!(stand.begun(), 2);
}

#[tokio::test]
async fn jobs_that_are_open_stand_in_their_page_as_they_are_now() {
    let stand = Stand::start(Column::Comfyui).await;
    let home = Home::new(stand.config());
    let supervisor = home.start().await;
    supervisor.ready(Wanted::All, LIMIT).await.unwrap();
    let first = supervisor.run(stand.job(1)).await.unwrap();
    let mut cell = first.watch();
    cell.wait_for(|status| status.state == JobState::Running).await.unwrap();
    let done: HashSet<_> = pages(&supervisor, &[JobState::Running], 1).await.into_iter().collect();
    assert!(done.contains(&first.id()));
    assert_eq!(pages(&supervisor, &[JobState::Done], 1).await, []);
    end(&first).await;
    assert_eq!(pages(&supervisor, &[JobState::Done], 1).await, [first.id()]);
    assert_eq!(pages(&supervisor, &[JobState::Running], 1).await, []);
}
