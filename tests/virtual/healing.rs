//! P12 to P14: crashes are healed, poison is set aside, nothing is left behind.

use std::time::Duration;

use backline::{
    Error, NodeState,
    model::{Code, Phase},
    supervisor::{
        Force,
        query::{HealthOf, Tree},
    },
};

use crate::world::{Mood, World};

#[tokio::test(start_paused = true)]
async fn p14_a_panic_costs_one_restart_and_a_second_and_touches_nobody_else() {
    let world = World::new(&["a", "b"], Mood::Up).await;
    world.until("a", |b| b.phase == Phase::Ready).await;
    world.until("b", |b| b.phase == Phase::Ready).await;
    let (own, other) = (world.status("a").epoch, world.status("b").epoch);
    world.supervisor.inject_panic("a").unwrap();
    let healed = world.until("a", |b| b.phase == Phase::Ready && b.epoch > own).await;
    assert!(healed <= Duration::from_secs(1), "{healed:?}");
    assert_eq!(world.status("b").epoch, other);
    let tree = world.supervisor.query(Tree).await.unwrap();
    assert_eq!(tree.child("backends/a").unwrap().restarts, 1);
    assert_eq!(tree.child("backends/b").unwrap().restarts, 0);
    assert_eq!((tree.child("backends").unwrap().restarts, tree.child("jobs").unwrap().restarts), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn p14_past_the_intensity_it_is_quarantined_with_a_reason_and_released_by_reconnect() {
    let world = World::new(&["a", "b"], Mood::Up).await;
    world.until("b", |b| b.phase == Phase::Ready).await;
    let other = world.status("b").epoch;
    for _ in 0..6 {
        world.until("a", |b| b.phase == Phase::Ready).await;
        world.supervisor.inject_panic("a").unwrap();
        world.until("a", |b| b.phase != Phase::Ready).await;
    }
    world.until("a", |b| b.phase == Phase::Quarantined).await;
    let status = world.status("a");
    assert!(status.reason.as_ref().unwrap().contains("panic"), "{:?}", status.reason);
    assert_eq!(status.last_error.as_ref().unwrap().code, Code::CrashLoop);
    assert!(status.next_attempt_at.is_some(), "it says when it is tried again");
    assert_eq!((world.status("b").phase, world.status("b").epoch), (Phase::Ready, other));
    let tree = world.supervisor.query(Tree).await.unwrap();
    assert_eq!(tree.child("backends/a").unwrap().state, NodeState::Quarantined);
    world.supervisor.reconnect("a", Force::No).await.unwrap();
    world.until("a", |b| b.phase == Phase::Ready).await;
}

#[tokio::test(start_paused = true)]
async fn a_quarantined_backend_gets_a_trial_by_itself_after_ten_minutes() {
    let world = World::new(&["a"], Mood::Up).await;
    for _ in 0..6 {
        world.until("a", |b| b.phase == Phase::Ready).await;
        world.supervisor.inject_panic("a").unwrap();
        world.until("a", |b| b.phase != Phase::Ready).await;
    }
    world.until("a", |b| b.phase == Phase::Quarantined).await;
    let trial = world.until("a", |b| b.phase == Phase::Ready).await;
    assert!(trial.abs_diff(Duration::from_secs(600)) < Duration::from_secs(2), "{trial:?}");
}

#[tokio::test(start_paused = true)]
async fn asking_an_actor_that_is_not_there_is_a_typed_error() {
    let world = World::new(&["a"], Mood::Up).await;
    world.until("a", |b| b.phase == Phase::Ready).await;
    let report = world.supervisor.query(HealthOf::id("a")).await.unwrap();
    assert_eq!(report.backend.as_str(), "a");
    assert!(matches!(
        world.supervisor.query(HealthOf::id("nobody")).await,
        Err(Error::UnknownBackend { .. })
    ));
    let handle = world.supervisor.handle();
    world.supervisor.shutdown(Duration::from_secs(1)).await;
    assert!(matches!(handle.query(HealthOf::id("a")).await, Err(Error::Restarting { actor: "health" })));
    assert!(matches!(handle.query(Tree).await, Err(Error::Restarting { actor: "root" })));
}

#[tokio::test(start_paused = true)]
async fn p12_a_day_with_a_fault_each_minute_leaves_no_task_behind() {
    let world = World::new(&["a", "b", "c", "d"], Mood::Up).await;
    let metrics = tokio::runtime::Handle::current().metrics();
    let mut after_an_hour = 0;
    for minute in 0..24 * 60 {
        let name = ["a", "b", "c", "d"][minute % 4];
        match minute % 3 {
            0 => world.actor(name).becomes(Mood::Down),
            1 => world.actor(name).becomes(Mood::Silent),
            // The tree may be between two incarnations: then there is nobody to panic.
            _ => drop(world.supervisor.inject_panic(name)),
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
        world.actor(name).becomes(Mood::Up);
        tokio::time::sleep(Duration::from_secs(30)).await;
        if minute == 60 {
            after_an_hour = metrics.num_alive_tasks();
        }
    }
    for name in ["a", "b", "c", "d"] {
        world.until(name, |b| b.phase == Phase::Ready).await;
        assert!(world.status(name).restarts > 50, "the faults were not injected");
    }
    let now = metrics.num_alive_tasks();
    assert!(now <= after_an_hour + 4, "{now} tasks, {after_an_hour} after an hour");
}

#[tokio::test(start_paused = true)]
async fn p13_a_shutdown_in_any_phase_is_clean_and_in_time() {
    for mood in [Mood::Up, Mood::Down, Mood::Silent, Mood::WrongKey] {
        let world = World::new(&["a", "b"], mood).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        let begun = tokio::time::Instant::now();
        let report = world.supervisor.shutdown(Duration::from_secs(5)).await;
        assert!(report.clean, "{mood:?}: {report:?}");
        assert!(begun.elapsed() <= Duration::from_secs(5), "{mood:?}: {:?}", begun.elapsed());
    }
}
