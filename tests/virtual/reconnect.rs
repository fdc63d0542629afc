//! P4: lost connections come back by themselves, soon.

use std::time::Duration;

use backline::{
    model::{Code, Phase},
    supervisor::Force,
};

use crate::world::{Mood, World};

#[tokio::test(start_paused = true)]
async fn p4_after_an_outage_of_any_length_it_is_ready_within_six_seconds_of_listening() {
    let mut short = Vec::new();
    for outage in [1, 3, 5, 8, 9, 15, 30, 59, 61, 90, 300, 900, 3599] {
        let world = World::new(&["a"], Mood::Up).await;
        world.until("a", |b| b.phase == Phase::Ready).await;
        world.actor("a").becomes(Mood::Down);
        tokio::time::sleep(Duration::from_secs(outage)).await;
        world.actor("a").becomes(Mood::Up);
        let back = world.until("a", |b| b.phase == Phase::Ready).await;
        assert!(back <= Duration::from_millis(5_500), "{back:?} after {outage} s");
        if outage < 10 {
            short.push(back);
        }
    }
    short.sort();
    assert!(short[short.len() / 2] <= Duration::from_secs(1), "{short:?}");
}

#[tokio::test(start_paused = true)]
async fn it_comes_back_as_often_as_it_goes() {
    let world = World::new(&["a"], Mood::Down).await;
    let mut last = 0;
    for turn in 0..50 {
        tokio::time::sleep(Duration::from_secs(turn)).await;
        world.actor("a").becomes(Mood::Up);
        let back = world.until("a", |b| b.phase == Phase::Ready).await;
        assert!(back <= Duration::from_millis(5_500), "{back:?} at turn {turn}");
        let epoch = world.status("a").epoch;
        assert!(epoch > last, "an epoch came twice");
        last = epoch;
        world.actor("a").becomes(Mood::Down);
        world.until("a", |b| b.phase != Phase::Ready).await;
    }
    assert_eq!(world.status("a").restarts, 0, "an outage is a state, not a crash");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_parks_with_the_remedy_and_leaves_by_a_recheck_or_a_command() {
    let world = World::new(&["a"], Mood::WrongKey).await;
    world.until("a", |b| b.phase == Phase::Parked).await;
    let error = world.status("a").last_error.clone().unwrap();
    assert_eq!(error.code, Code::AuthWrong);
    assert!(error.fix.contains("api_key"), "{}", error.fix);
    let dials = world.actor("a").dials.lock().unwrap().len();
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert_eq!(
        world.actor("a").dials.lock().unwrap().len(),
        dials,
        "a refused key is not tried again at once"
    );
    world.actor("a").becomes(Mood::Up);
    let back = world.until("a", |b| b.phase == Phase::Ready).await;
    assert!(back <= Duration::from_secs(10), "{back:?}");

    let world = World::new(&["a"], Mood::WrongKey).await;
    world.until("a", |b| b.phase == Phase::Parked).await;
    world.actor("a").becomes(Mood::Up);
    world.supervisor.reconnect("a", Force::No).await.unwrap();
    assert!(world.until("a", |b| b.phase == Phase::Ready).await < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_reconnect_leaves_a_ready_session_alone_unless_it_is_forced() {
    let world = World::new(&["a"], Mood::Up).await;
    world.until("a", |b| b.phase == Phase::Ready).await;
    let epoch = world.status("a").epoch;
    world.supervisor.reconnect("a", Force::No).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.status("a").epoch, epoch);
    world.supervisor.reconnect("a", Force::Yes).await.unwrap();
    world.until("a", |b| b.phase == Phase::Ready && b.epoch > epoch).await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_keeps_it_away_and_a_resume_brings_it_back() {
    let world = World::new(&["a"], Mood::Up).await;
    world.until("a", |b| b.phase == Phase::Ready).await;
    world.supervisor.pause_backend("a").unwrap();
    world.until("a", |b| b.phase == Phase::Paused).await;
    let dials = world.actor("a").dials.lock().unwrap().len();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(world.actor("a").dials.lock().unwrap().len(), dials);
    world.supervisor.resume_backend("a").unwrap();
    assert!(world.until("a", |b| b.phase == Phase::Ready).await < Duration::from_secs(1));
}
