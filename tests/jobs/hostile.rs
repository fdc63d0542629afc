//! Answers that are malformed, truncated, or hostile, to each request of a job: it ends with a cause, nothing crashes and
//! nothing hangs.

use std::time::Duration;

use backline::{
    Supervisor, Wanted,
    model::{Code, JobState},
};
use futures_util::{StreamExt, stream};

use crate::{
    home::{LIMIT, end},
    mangler::{Mangler, Spoil},
    stand::{Column, Stand},
};

/// Answers that pass before the first that is spoiled: submit, look, look, fetch, and what lies between.
const PLACES: [u32; 5] = [0, 1, 2, 4, 7];
const AT_ONCE: usize = 12;

async fn case(column: Column, spoil: Spoil, place: u32, seed: u64) -> Result<u64, String> {
    let what = format!("{column:?}, {spoil:?}, after {place} answers, seed {seed}");
    let stand = Stand::start(column).await;
    let mangler = Mangler::start(([127, 0, 0, 1], stand.server().port()).into(), spoil, seed).await;
    let config = stand.config_at(mangler.address.port());
    let supervisor = Supervisor::builder().config(config).start().await.unwrap();
    supervisor.ready(Wanted::All, LIMIT).await.map_err(|e| format!("{what}: {e}"))?;
    let out = tempfile::tempdir().unwrap();
    mangler.arm(place, 3);
    let job = supervisor.submit(stand.brief(1).save_to(out.path())).await.unwrap().job;
    let status = match tokio::time::timeout(LIMIT, end(&job)).await {
        Ok(status) => status,
        Err(_) => return Err(format!("{what}: it hangs: {:#?}", job.status())),
    };
    let crashed = status.error.as_ref().is_some_and(|fault| fault.code() == Code::Internal);
    if crashed || status.state == JobState::Held {
        return Err(format!("{what}: it crashed: {status:#?}"));
    }
    if stand.ended() > 1 {
        return Err(format!("{what}: it ran {} times: {status:#?}", stand.ended()));
    }
    // What drives the connection did not crash either.
    if supervisor.snapshot().backend("b").is_some_and(|b| b.restarts > 0) {
        return Err(format!("{what}: its connection crashed"));
    }
    let spoiled = mangler.done();
    supervisor.shutdown(Duration::from_secs(2)).await;
    Ok(spoiled)
}

/// Plays all cases of a kind.
async fn play(column: Column) {
    let seed = fastrand::u64(..1_000_000);
    let cases = Spoil::ALL.into_iter().flat_map(|spoil| PLACES.map(move |place| (spoil, place)));
    let played: Vec<_> = stream::iter(cases)
        .map(|(spoil, place)| case(column, spoil, place, seed))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let spoiled: u64 = played.iter().flatten().sum();
    let wrong: Vec<_> = played.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A chat has one answer.
    assert!(spoiled >= Spoil::ALL.len() as u64, "only {spoiled} answers were spoiled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comfyuis_answers_are_judged_and_never_crash_a_job() {
    play(Column::Comfyui).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gradios_answers_are_judged_and_never_crash_a_job() {
    play(Column::Function).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gradios_streams_are_judged_and_never_crash_a_job() {
    play(Column::Generator).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wan2gps_answers_are_judged_and_never_crash_a_job() {
    play(Column::Wan2gp).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chats_answers_are_judged_and_never_crash_a_job() {
    play(Column::Chat).await;
}
