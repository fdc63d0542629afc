//! P1 to P3 and P21: death, hangs and strangers are seen in time, and slow is not dead.

use std::time::Duration;

use backline::{
    jobs::Job,
    model::{Code, Health, JobState, Phase},
};
use serde_json::json;

use crate::world::{Mood, World};

#[tokio::test(start_paused = true)]
async fn p1_death_on_a_live_channel_is_seen_within_a_second_with_cause_and_remedy() {
    let world = World::new(&["a", "b"], Mood::Up).await;
    world.until("a", |b| b.phase == Phase::Ready).await;
    world.until("b", |b| b.phase == Phase::Ready).await;
    let other = world.status("b").epoch;
    world.actor("a").becomes(Mood::Down);
    let seen = world.until("a", |b| b.phase != Phase::Ready).await;
    assert!(seen <= Duration::from_secs(1), "{seen:?}");
    world.until("a", |b| b.last_error.as_ref().is_some_and(|e| e.code == Code::ConnectionRefused)).await;
    let status = world.status("a");
    assert!(status.reason.is_some() && !status.last_error.as_ref().unwrap().fix.is_empty());
    assert_eq!((world.status("b").phase, world.status("b").epoch), (Phase::Ready, other));
}

#[tokio::test(start_paused = true)]
async fn p2_an_idle_hang_is_seen_within_13_seconds_whenever_it_begins() {
    for offset in 0..20 {
        let world = World::new(&["a"], Mood::Up).await;
        world.until("a", |b| b.phase == Phase::Ready).await;
        tokio::time::sleep(Duration::from_millis(20_000 + 350 * offset)).await;
        world.actor("a").becomes(Mood::Silent);
        let seen = world.until("a", |b| b.phase != Phase::Ready).await;
        assert!(seen <= Duration::from_secs(13), "{seen:?} at offset {offset}");
        assert!(seen >= Duration::from_secs(4), "one missed probe is no proof: {seen:?}");
        world.actor("a").becomes(Mood::Up);
        world.until("a", |b| b.phase == Phase::Ready).await;
    }
}

#[tokio::test(start_paused = true)]
async fn p2_a_hang_that_begins_with_its_session_is_seen_in_an_interval_and_three_time_outs() {
    // Of no step with the prober's wheel, as in real time.
    let timeout = Duration::from_millis(1_500);
    let world = World::with(&["a"], Mood::Up, |config| config.probe.timeout = timeout).await;
    for turn in 0..20 {
        world.until("a", |b| b.phase == Phase::Ready).await;
        world.actor("a").becomes(Mood::Down);
        world.until("a", |b| b.phase != Phase::Ready).await;
        // The new session comes at any time of the wheel, which notices it within a second.
        tokio::time::sleep(Duration::from_millis(1_000 + 170 * turn)).await;
        world.actor("a").becomes(Mood::Up);
        world.until("a", |b| b.phase == Phase::Ready).await;
        world.actor("a").becomes(Mood::Silent);
        let seen = world.until("a", |b| b.phase != Phase::Ready).await;
        let bound = Duration::from_millis(1_000 + 5_000 + 300) + 3 * timeout;
        assert!(seen <= bound, "{seen:?} at turn {turn}");
        world.actor("a").becomes(Mood::Up);
    }
}

#[tokio::test(start_paused = true)]
async fn p3_slow_is_not_dead_with_a_job_in_flight_it_keeps_its_session() {
    let world = World::new(&["a"], Mood::Up).await;
    world.until("a", |b| b.phase == Phase::Ready).await;
    let epoch = world.status("a").epoch;
    world.actor("a").works(1);
    world.actor("a").becomes(Mood::Silent);
    world.until("a", |b| b.health == Health::Unhealthy).await;
    let free = world.supervisor.lease_within("a", Duration::ZERO).await;
    assert!(free.is_err(), "new work was let in");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((world.status("a").phase, world.status("a").epoch), (Phase::Ready, epoch));
    world.actor("a").becomes(Mood::Up);
    world.until("a", |b| b.health == Health::Healthy).await;
    assert_eq!(world.status("a").epoch, epoch, "it was reconnected");
    assert!(world.supervisor.lease_within("a", Duration::ZERO).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_silence_past_the_hang_limit_ends_the_session_even_with_a_job_in_flight() {
    let world = World::new(&["a"], Mood::Up).await;
    world.until("a", |b| b.phase == Phase::Ready).await;
    world.actor("a").works(1);
    world.actor("a").becomes(Mood::Silent);
    world.until("a", |b| b.health == Health::Unhealthy).await;
    let held = world.until("a", |b| b.phase != Phase::Ready).await;
    assert!(held.abs_diff(Duration::from_secs(120)) < Duration::from_secs(1), "{held:?}");
}

#[tokio::test(start_paused = true)]
async fn p21_another_program_on_the_port_is_recognised_by_a_probe_and_fed_no_jobs() {
    let world = World::new(&["a"], Mood::Up).await;
    world.until("a", |b| b.phase == Phase::Ready).await;
    let chat = || Job::chat("a", json!({ "messages": [] }));
    let first = world.supervisor.run(chat()).await.unwrap().outcome().await;
    assert_eq!(first.state, JobState::Done);
    // Nothing ends the connection: only what is said there shows it.
    world.actor("a").becomes(Mood::Stranger);
    let seen = world.until("a", |b| b.phase == Phase::Parked).await;
    assert!(seen <= Duration::from_secs(13), "{seen:?}");
    assert_eq!(world.status("a").last_error.as_ref().unwrap().code, Code::WrongProgram);
    let job = world.supervisor.run(chat()).await.unwrap();
    // Longer than it takes to look again.
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!((job.status().state, world.status("a").phase), (JobState::Queued, Phase::Parked));
    assert_eq!(world.actor("a").runs.lock().unwrap().len(), 1, "the stranger was fed");
    // The right one is back, and found without a person.
    world.actor("a").becomes(Mood::Up);
    world.until("a", |b| b.phase == Phase::Ready).await;
    assert_eq!(job.outcome().await.state, JobState::Done);
    assert_eq!(world.actor("a").runs.lock().unwrap().len(), 2);
}
