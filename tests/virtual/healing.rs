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

/// One crash more than is allowed.
async fn poison(world: &World, name: &str) {
    for crash in 1..=6 {
        world.until(name, |b| b.phase == Phase::Ready).await;
        world.supervisor.inject_panic(name).unwrap();
        world.until(name, |b| b.restarts == crash || b.phase == Phase::Quarantined).await;
    }
}

#[tokio::test(start_paused = true)]
async fn p14_past_the_intensity_it_is_quarantined_with_a_reason_and_released_by_reconnect() {
    let world = World::new(&["a", "b"], Mood::Up).await;
    world.until("b", |b| b.phase == Phase::Ready).await;
    let other = world.status("b").epoch;
    poison(&world, "a").await;
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
    poison(&world, "a").await;
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
async fn asking_a_connection_between_two_lives_is_a_typed_error_and_costs_it_nothing() {
    let world = World::new(&["a"], Mood::Up).await;
    let mut met = 0;
    for crash in 1..=5 {
        world.until("a", |b| b.phase == Phase::Ready).await;
        world.supervisor.inject_panic("a").unwrap();
        world.until("a", |b| b.restarts == crash).await;
        // The first restart comes at once; the later ones wait.
        match world.supervisor.pause_backend("a") {
            Err(Error::Restarting { actor: "connection" }) => met += 1,
            Ok(()) => world.supervisor.resume_backend("a").unwrap(),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(met >= 3, "only {met} of 5 were told");
    world.until("a", |b| b.phase == Phase::Ready).await;
}

#[tokio::test(start_paused = true)]
async fn p12_two_hours_with_a_fault_each_minute_leave_no_task_behind() {
    faults_for(2).await;
}

#[tokio::test(start_paused = true)]
async fn slow_p12_a_day_with_a_fault_each_minute_leaves_no_task_behind() {
    faults_for(24).await;
}

async fn faults_for(hours: usize) {
    let world = World::new(&["a", "b", "c", "d"], Mood::Up).await;
    let metrics = tokio::runtime::Handle::current().metrics();
    let mut after_an_hour = 0;
    for minute in 0..hours * 60 {
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
        assert!(world.status(name).restarts as usize > hours, "the faults were not injected");
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

#[tokio::test(start_paused = true)]
async fn p13_a_shutdown_is_clean_with_one_paused_one_quarantined_and_one_between_two_lives() {
    let world = World::new(&["paused", "poisoned", "crashed"], Mood::Up).await;
    world.until("paused", |b| b.phase == Phase::Ready).await;
    world.supervisor.pause_backend("paused").unwrap();
    world.until("paused", |b| b.phase == Phase::Paused).await;
    poison(&world, "poisoned").await;
    world.until("poisoned", |b| b.phase == Phase::Quarantined).await;
    for crash in 1..=3 {
        world.until("crashed", |b| b.phase == Phase::Ready).await;
        world.supervisor.inject_panic("crashed").unwrap();
        world.until("crashed", |b| b.restarts == crash).await;
    }
    let handle = world.supervisor.handle();
    let begun = tokio::time::Instant::now();
    let report = world.supervisor.shutdown(Duration::from_secs(5)).await;
    assert!(report.clean && begun.elapsed() <= Duration::from_secs(5), "{report:?}");
    // Nobody comes back to life after the end.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    for backend in &handle.snapshot().backends {
        assert_eq!(backend.phase, Phase::Closed, "`{}`", backend.id);
    }
}
