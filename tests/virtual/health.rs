//! P16 and P17, and one prober an endpoint: what health makes of days of silence, of its own sleep, of many sessions.

use std::{sync::atomic::Ordering, time::Duration};

use backline::{
    health::answers::Holds,
    jobs::Job,
    model::{Health, JobState, Phase},
    net::Address,
    supervisor::query::HealthOf,
};
use serde_json::json;

use crate::world::{Mood, World};

const HOUR: Duration = Duration::from_secs(3_600);

fn ask(target: &str) -> Job {
    Job::chat(target, json!({ "model": "m", "messages": [] }))
}

#[tokio::test(start_paused = true)]
async fn p16_with_everything_down_for_a_day_it_goes_on_dialing_and_takes_work() {
    let names = ["a", "b", "c"];
    // Far away: redialed once a minute.
    let far = |config: &mut backline::config::BackendConfig| {
        config.url = Address::parse(&format!("http://far-{}.test:1", config.id)).unwrap();
    };
    let world = World::with(&names, Mood::Down, far).await;
    let early = world.supervisor.run(ask("a")).await.unwrap();
    tokio::time::sleep(23 * HOUR).await;
    let before = names.map(|name| world.actor(name).dials.lock().unwrap().len());
    tokio::time::sleep(HOUR).await;
    for (name, before) in names.into_iter().zip(before) {
        let dials = world.actor(name).dials.lock().unwrap().len() - before;
        assert!((50..=200).contains(&dials), "`{name}` was dialed {dials} times in the last hour");
        let report = world.supervisor.query(HealthOf::id(name)).await.unwrap();
        assert_eq!((report.answers.alive.holds, report.answers.ready.holds), (Holds::No, Holds::No));
        assert!(!report.answers.ready.evidence.is_empty());
    }
    let late = world.supervisor.run(ask("a")).await.unwrap();
    assert_eq!((early.status().state, late.status().state), (JobState::Queued, JobState::Queued));
    world.actor("a").becomes(Mood::Up);
    let back = world.until("a", |b| b.phase == Phase::Ready).await;
    assert!(back <= Duration::from_secs(62), "{back:?}");
    for job in [early, late] {
        let ended = tokio::time::timeout(HOUR, job.outcome()).await.unwrap();
        assert_eq!(ended.state, JobState::Done, "{ended:#?}");
    }
    let report = world.supervisor.query(HealthOf::id("a")).await.unwrap();
    assert_eq!((report.answers.alive.holds, report.answers.ready.holds), (Holds::Yes, Holds::Yes));
}

#[tokio::test(start_paused = true)]
async fn p17_a_sleep_of_eight_hours_raises_no_alarm_and_is_caught_up_with_one_probe_each() {
    let names: Vec<String> = (0..40).map(|n| format!("b{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::new(&names, Mood::Up).await;
    for name in &names {
        world.until(name, |b| b.phase == Phase::Ready).await;
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    // Some probes are under way when we fall asleep; their answers lie unread when we wake.
    names.iter().for_each(|name| world.actor(name).becomes(Mood::Silent));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let seen = |name: &str| world.actor(name).probes.load(Ordering::SeqCst);
    let before: Vec<usize> = names.iter().map(|name| seen(name)).collect();
    let epochs: Vec<u64> = names.iter().map(|name| world.status(name).epoch).collect();
    let mut events = world.supervisor.events();
    tokio::time::advance(8 * HOUR).await;
    names.iter().for_each(|name| world.actor(name).becomes(Mood::Up));
    tokio::time::sleep(Duration::from_secs(3)).await;
    for ((name, before), epoch) in names.iter().zip(before).zip(epochs) {
        let status = world.status(name);
        assert_eq!((status.phase, status.epoch), (Phase::Ready, epoch), "`{name}`");
        assert_eq!(status.health, Health::Healthy, "`{name}`");
        let probes = seen(name) - before;
        assert!((1..=2).contains(&probes), "`{name}` was probed {probes} times");
    }
    while let Ok(Some(event)) =
        tokio::time::timeout(Duration::ZERO, futures_util::StreamExt::next(&mut events)).await
    {
        let event = event.unwrap();
        let alarm = matches!(event.body.name(), "backend.health" | "backend.phase" | "notice.raised");
        let clock = format!("{:?}", event.body).contains("ClockJump");
        assert!(!alarm || clock, "{:?}", event.body);
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_of_one_endpoint_share_one_prober_and_its_verdict() {
    let names = ["a", "b", "c", "d"];
    let same = |config: &mut backline::config::BackendConfig| config.url = Address::loopback(7);
    let world = World::with(&names, Mood::Up, same).await;
    for name in names {
        world.until(name, |b| b.phase == Phase::Ready).await;
    }
    tokio::time::sleep(Duration::from_secs(600)).await;
    let probes: usize = names.iter().map(|name| world.actor(name).probes.load(Ordering::SeqCst)).sum();
    // One every 5 s, with a little for those that came at their own times.
    assert!((118..=130).contains(&probes), "{probes} probes in ten minutes");
    for name in names {
        assert!(world.supervisor.query(HealthOf::id(name)).await.unwrap().probes >= 115);
    }
    names.iter().for_each(|name| world.actor(name).becomes(Mood::Silent));
    for name in names {
        let seen = world.until(name, |b| b.phase != Phase::Ready).await;
        assert!(seen <= Duration::from_secs(13), "`{name}` after {seen:?}");
    }
}
