//! Which backend gets a job, and when: chosen as late as can be, in turn, and never many at once.

use std::{sync::Arc, time::Duration};

use backline::state::Store;
use backline::{
    Supervisor, Wanted,
    config::{BackendConfig, Config, PoolConfig},
    jobs::Job,
    model::{Code, EventBody, JobState, Kind, Phase},
    net::Address,
    sim::{
        Act,
        comfyui::{SimComfyui, Version},
    },
};
use futures_util::{FutureExt, StreamExt};

use crate::{
    home::{Home, LIMIT, end, end_of, until},
    stand::graph,
};

async fn down() -> (SimComfyui, Home) {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    sim.server().kill();
    let home = Home::new(config(&sim));
    (sim, home)
}

fn config(sim: &SimComfyui) -> Config {
    let id = "b".parse().unwrap();
    Config::new().backend(BackendConfig::new(id, Kind::Comfyui, Address::loopback(sim.server().port())))
}

fn job(target: &str, nonce: u32) -> Job {
    Job::workflow(target, graph(2, nonce))
}

async fn ready(supervisor: &Supervisor) {
    supervisor.ready(Wanted::All, LIMIT).await.unwrap();
}

#[tokio::test]
async fn jobs_are_taken_while_everything_is_down_by_name_and_by_what_they_need() {
    let (sim, home) = down().await;
    let supervisor = home.start().await;
    let mut jobs = Vec::new();
    for (n, target) in ["b", "workflow.run", "image.generate"].into_iter().enumerate() {
        jobs.push(supervisor.submit(job(target, n as u32)).await.unwrap().job);
    }
    assert!(jobs.iter().all(|job| job.status().state == JobState::Queued));
    sim.server().restart().await.unwrap();
    for job in &jobs {
        let status = end(job).await;
        assert_eq!((status.state, status.attempts), (JobState::Done, 1), "{status:#?}");
    }
    assert_eq!(sim.all_executions(), 3);
}

/// A pool of two, both off: the job goes to the one that comes, over a stop of ours as well.
#[tokio::test]
async fn a_job_for_a_pool_waits_for_any_of_its_members() {
    let sims = [
        SimComfyui::start(Version::V0_24_0).await.unwrap(),
        SimComfyui::start(Version::V0_24_0).await.unwrap(),
    ];
    let backend = |id: &str, sim: &SimComfyui| {
        BackendConfig::new(id.parse().unwrap(), Kind::Comfyui, Address::loopback(sim.server().port()))
    };
    let members = vec!["a".parse().unwrap(), "b".parse().unwrap()];
    let config = Config::new().backend(backend("a", &sims[0])).backend(backend("b", &sims[1]));
    let home = Home::new(config.pool(PoolConfig::new("studio".parse().unwrap(), members)));
    sims.iter().for_each(|sim| sim.server().kill());
    let first = home.start().await;
    let id = first.run(job("studio", 1)).await.unwrap().id();
    let report = first.shutdown(Duration::ZERO).await;
    assert_eq!(report.waiting, [id]);
    let second = home.start().await;
    let waiting = second.job(id).await.unwrap();
    assert_eq!((waiting.status().state, &waiting.status().target[..]), (JobState::Queued, "studio"));
    sims[1].server().restart().await.unwrap();
    let status = end(&waiting).await;
    assert_eq!((status.state, status.attempts), (JobState::Done, 1), "{status:#?}");
    assert_eq!(status.backend.as_ref().unwrap().as_str(), "b");
    assert_eq!((sims[0].all_executions(), sims[1].all_executions()), (0, 1));
}

#[tokio::test]
async fn the_more_urgent_goes_first_whenever_it_came() {
    let (sim, home) = down().await;
    let supervisor = home.start().await;
    let mut jobs = Vec::new();
    for (n, priority) in [0, 3, 0, 9, 3].into_iter().enumerate() {
        let job = job("b", n as u32).priority(priority);
        jobs.push((priority, supervisor.submit(job).await.unwrap().job));
    }
    sim.server().restart().await.unwrap();
    let mut sent = Vec::new();
    for (n, (priority, job)) in jobs.iter().enumerate() {
        let status = end(job).await;
        let at = status.timeline.iter().find(|step| step.state == JobState::Sent).unwrap().at;
        sent.push((at, *priority, n));
    }
    sent.sort();
    let order: Vec<_> = sent.iter().map(|(_, priority, n)| (*priority, *n)).collect();
    assert_eq!(order, [(9, 3), (3, 1), (3, 4), (0, 0), (0, 2)]);
}

#[tokio::test]
async fn what_waits_can_be_cancelled_and_grows_too_old_and_is_never_sent() {
    let (sim, home) = down().await;
    let supervisor = home.start().await;
    let cancelled = supervisor.submit(job("b", 1)).await.unwrap().job;
    let expired = supervisor.submit(job("b", 2).time_to_live(Duration::from_millis(50))).await.unwrap().job;
    let late = supervisor.submit(job("b", 3).deadline(Duration::from_millis(50))).await.unwrap().job;
    cancelled.cancel();
    assert_eq!(end(&cancelled).await.state, JobState::Cancelled);
    for (job, code) in [(&expired, Code::Expired), (&late, Code::JobTimeout)] {
        let status = end(job).await;
        assert_eq!(status.state, JobState::Failed);
        assert_eq!(status.error.as_ref().unwrap().code(), code);
    }
    sim.server().restart().await.unwrap();
    ready(&supervisor).await;
    assert_eq!(end(&supervisor.submit(job("b", 4)).await.unwrap().job).await.state, JobState::Done);
    assert_eq!(sim.all_executions(), 1, "the last alone ran");
}

#[tokio::test]
async fn at_most_two_wait_at_a_comfyui() {
    let (sim, home) = down().await;
    sim.server().restart().await.unwrap();
    let supervisor = home.start().await;
    ready(&supervisor).await;
    let mut jobs = Vec::new();
    for n in 0..12 {
        jobs.push(supervisor.submit(job("b", n)).await.unwrap().job);
    }
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut most = 0;
    loop {
        let url = format!("{}/prompt", sim.server().url());
        let text = http.get(url).send().await.unwrap().text().await.unwrap();
        let info: serde_json::Value = serde_json::from_str(&text).unwrap();
        most = most.max(info["exec_info"]["queue_remaining"].as_u64().unwrap());
        if jobs.iter().all(|job| job.status().state.is_end()) {
            break;
        }
        // The server's own word, now and then.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(most, 3, "one runs and two wait");
    assert!(jobs.iter().all(|job| job.status().state == JobState::Done));
}

#[tokio::test]
async fn a_server_that_answers_slowly_is_not_dead_and_its_job_is_sent_once() {
    let (sim, home) = down().await;
    sim.server().restart().await.unwrap();
    let supervisor = home.start().await;
    ready(&supervisor).await;
    let job = supervisor.submit(Job::workflow("b", graph(20, 1))).await.unwrap().job;
    until(&job, |s| s.state == JobState::Running).await;
    for path in ["/queue", "/history", "/prompt", "/system_stats"] {
        sim.server().trouble(path, None, Act::Hang);
    }
    // Long enough for a probe to fail, and for the job to end unseen.
    sim.ended().wait_for(|ended| *ended == 1).await.unwrap();
    let mut cell = supervisor.watch();
    let sick =
        cell.wait_for(|now| now.backend("b").is_some_and(|b| b.health == backline::model::Health::Unhealthy));
    tokio::time::timeout(LIMIT, sick).await.unwrap().unwrap();
    assert_eq!(supervisor.snapshot().backend("b").unwrap().phase, Phase::Ready, "its session is kept");
    sim.server().calm();
    let status = end(&job).await;
    assert_eq!((status.state, status.attempts, sim.all_executions()), (JobState::Done, 1, 1), "{status:#?}");
}

#[tokio::test]
async fn an_end_is_told_once_and_is_the_same_after_a_start_of_ours() {
    let (sim, home) = down().await;
    sim.server().restart().await.unwrap();
    let first = home.start().await;
    ready(&first).await;
    let mut events = first.events();
    let before = end(&first.submit(job("b", 1).key("k")).await.unwrap().job).await;
    let id = before.id;
    let mut told = 0;
    let ends = |body: &EventBody| matches!(body, EventBody::JobState { job, state, .. } if *job == id && state.is_end());
    // The snapshot's count of done jobs moves with the event.
    while told == 0 {
        let event: Arc<_> = tokio::time::timeout(LIMIT, events.next()).await.unwrap().unwrap().unwrap();
        told += u32::from(ends(&event.body));
    }
    drop(first);
    let second = home.start().await;
    let mut events = second.events();
    ready(&second).await;
    let after = end_of(&second, id).await;
    assert_eq!((after.state, &after.outputs, after.attempts), (before.state, &before.outputs, 1));
    let again = second.submit(job("b", 1).key("k")).await.unwrap();
    assert_eq!((again.job.id(), again.job.status().state), (id, JobState::Done));
    second.shutdown(Duration::from_secs(5)).await;
    // What was told until now is there; nothing more is waited for.
    while let Some(Some(Ok(event))) = events.next().now_or_never() {
        assert!(
            !ends(&event.body)
                || matches!(&event.body, EventBody::JobState { evidence, .. } if evidence.contains("earlier run")),
            "told again: {event:?}"
        );
    }
    assert_eq!(sim.all_executions(), 1);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_refused_and_never_sent() {
    let (sim, home) = down().await;
    sim.server().restart().await.unwrap();
    let store = Store::in_memory().await.unwrap();
    let supervisor = home.start_over(store.clone()).await;
    ready(&supervisor).await;
    store.fail_commits(1, 1_000);
    let refused = supervisor.submit(job("b", 1)).await.expect_err("a refusal");
    assert!(!refused.to_string().is_empty() && !refused.fix().is_empty(), "{refused:?}");
    assert!(store.failures_played() > 0 && supervisor.jobs().is_empty());
    assert!(!sim.server().seen().iter().any(|seen| seen.path == "/prompt" && seen.method == "POST"));
}
