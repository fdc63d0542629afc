//! Who gets no work for a while, and how little is asked again.

use std::{collections::HashMap, time::Duration};

use backline::{
    jobs::Job,
    model::{BackendStatus, JobState, Phase, status::BreakerState},
};
use serde_json::json;
use tokio::{task::JoinSet, time::Instant};

use crate::world::{Mood, World, pool};

fn chat(target: &str) -> Job {
    // Without a model: what has it loaded would get all the work.
    Job::chat(target, json!({ "messages": [{ "role": "user", "content": "hi" }] }))
}

fn runs(world: &World, name: &str) -> usize {
    world.actor(name).runs.lock().unwrap().len()
}

fn is_open(status: &BackendStatus) -> bool {
    status.breaker.state == BreakerState::Open
}

async fn both() -> World {
    World::pooled(&["a", "b"], &[pool("both", &["a", "b"])], |_| {}).await
}

#[tokio::test(start_paused = true)]
async fn after_its_first_failure_a_member_gets_nothing_while_another_serves_and_then_one_trial() {
    let world = both().await;
    world.actor("a").becomes(Mood::Failing);
    let begun = Instant::now();
    let mut jobs = Vec::new();
    while begun.elapsed() < Duration::from_secs(60) {
        jobs.push(world.supervisor.run(chat("both")).await.unwrap());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for job in &jobs {
        assert_eq!(job.outcome().await.state, JobState::Done, "{:#?}", job.status());
    }
    let failed = world.actor("a").runs.lock().unwrap().clone();
    assert!(
        (3..=12).contains(&failed.len()),
        "{} of {} went to the one that fails",
        failed.len(),
        jobs.len()
    );
    let mut gaps = failed.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(gaps.all(|gap| gap >= Duration::from_secs(1)), "{failed:?}");
    let status = world.until("a", |b| b.breaker.state != BreakerState::Closed).await;
    assert!(status < Duration::from_secs(2));
    let reason = world.status("a").breaker.reason.clone().unwrap();
    assert!(reason.contains("503"), "{reason}");
    let routed = jobs.last().unwrap().status().routed.clone().unwrap();
    assert!(routed.starts_with("b: ") && routed.contains("; a: breaker "), "{routed}");
    world.actor("a").becomes(Mood::Up);
    tokio::time::sleep(Duration::from_secs(61)).await;
    while world.status("a").breaker.state != BreakerState::Closed {
        world.supervisor.run(chat("both")).await.unwrap().outcome().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(begun.elapsed() < Duration::from_secs(300), "it never came back");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limited_rate_is_no_failure_and_the_pause_that_was_asked_for_is_kept() {
    let world = both().await;
    world.actor("a").becomes(Mood::Limited);
    let begun = Instant::now();
    for _ in 0..200 {
        let job = world.supervisor.run(chat("both")).await.unwrap();
        assert_eq!(job.outcome().await.state, JobState::Done);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "the jobs did not wait for the pause of one member");
    let times = world.actor("a").runs.lock().unwrap().clone();
    assert!(!times.is_empty() && times.len() <= 3, "{times:?}");
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(20)), "{times:?}");
    assert_eq!(world.status("a").breaker.state, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_last_usable_member_is_never_set_aside() {
    let world = both().await;
    world.actor("b").becomes(Mood::Down);
    world.actor("a").becomes(Mood::Failing);
    let job = world.supervisor.run(chat("both")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(runs(&world, "a") >= 5, "{}", runs(&world, "a"));
    world.actor("a").becomes(Mood::Up);
    assert_eq!(job.outcome().await.state, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn p6_in_an_hour_of_failure_at_most_a_fifth_is_asked_again() {
    let world = both().await;
    for name in ["a", "b"] {
        world.actor(name).becomes(Mood::Failing);
    }
    let asked = 3_600;
    let mut jobs = JoinSet::new();
    for _ in 0..asked {
        let job = world.supervisor.run(chat("both").time_to_live(Duration::from_secs(20))).await.unwrap();
        jobs.spawn(async move { job.outcome().await.state });
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    while let Some(state) = jobs.join_next().await {
        assert_eq!(state.unwrap(), JobState::Failed);
    }
    let sent = runs(&world, "a") + runs(&world, "b");
    assert!(sent * 10 <= asked * 12 + 30, "{sent} requests for {asked} jobs");
    assert!(sent >= asked, "{sent} requests for {asked} jobs: the retries are not what is missing");
}

#[tokio::test(start_paused = true)]
async fn p15_each_flap_sets_it_aside_for_longer_and_it_comes_back_by_its_probes() {
    let world = both().await;
    let mut waits = Vec::new();
    for _ in 0..12 {
        world.actor("a").becomes(Mood::Down);
        world.until("a", |b| b.phase != Phase::Ready).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.actor("a").becomes(Mood::Up);
        world.until("a", |b| b.phase == Phase::Ready).await;
        let status = world.status("a");
        waits.push(
            status
                .breaker
                .next_trial_at
                .filter(|_| is_open(&status))
                .map_or(0, |until| until.duration_since(jiff::Timestamp::now()).as_secs()),
        );
        tokio::time::sleep(Duration::from_secs(8)).await;
    }
    assert_eq!(waits[0], 0, "once is no flapping");
    // What is left of each once it is back, which takes a jittered moment: seconds less, where all are at the cap.
    assert!(waits.windows(2).all(|pair| pair[1] + 10 >= pair[0]), "{waits:?}");
    assert!(waits[1] >= 20 && *waits.last().unwrap() >= 285, "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 300), "{waits:?}");
    let share = async || {
        let mut counts = HashMap::<String, u32>::new();
        for _ in 0..200 {
            let lease = world.supervisor.lease("both").await.unwrap();
            *counts.entry(lease.backend().to_string()).or_default() += 1;
        }
        counts.get("a").copied().unwrap_or_default()
    };
    assert_eq!(share().await, 0);
    let back = world.until("a", |b| b.breaker.state == BreakerState::Closed).await;
    assert!((Duration::from_secs(280)..Duration::from_secs(320)).contains(&back), "{back:?}");
    assert!(share().await > 50);
}

#[tokio::test(start_paused = true)]
async fn p16_with_everything_down_for_an_hour_it_still_takes_work_and_does_it_when_one_is_back() {
    all_down_for(1).await;
}

#[tokio::test(start_paused = true)]
async fn slow_p16_with_everything_down_for_a_day_it_still_takes_work_and_does_it_when_one_is_back() {
    all_down_for(24).await;
}

async fn all_down_for(hours: usize) {
    let world = both().await;
    for name in ["a", "b"] {
        world.actor(name).becomes(Mood::Down);
    }
    let mut jobs = Vec::new();
    for _ in 0..hours {
        jobs.push(world.supervisor.run(chat("both")).await.unwrap());
        tokio::time::sleep(Duration::from_secs(3_600)).await;
    }
    let dials = world.actor("b").dials.lock().unwrap().len();
    assert!(dials > hours * 1_000, "it goes on looking: {dials} dials");
    assert_eq!(world.supervisor.snapshot().overall, backline::model::Overall::Down);
    world.actor("b").becomes(Mood::Up);
    for job in jobs {
        let ended = tokio::time::timeout(Duration::from_secs(60), job.outcome()).await.unwrap();
        assert_eq!(ended.state, JobState::Done);
    }
    assert_eq!(runs(&world, "b"), hours);
}
