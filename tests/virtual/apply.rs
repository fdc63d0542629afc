//! A new configuration: what it leaves alone, what it renews, and what it waits for.

use std::time::Duration;

use backline::{
    Error,
    config::Config,
    model::{EventBody, Phase},
    net::Address,
    settings::How,
};
use futures_util::StreamExt;
use tokio::{task::JoinSet, time::Instant};

use crate::world::{Mood, World};

/// The configuration that counts, with a change.
fn changed(world: &World, change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::clone(&world.supervisor.config());
    change(&mut config);
    config
}

async fn ready(world: &World, names: &[&str]) {
    for name in names {
        world.until(name, |b| b.phase == Phase::Ready).await;
    }
}

fn epochs(world: &World) -> Vec<(String, u64)> {
    world.supervisor.snapshot().backends.iter().map(|b| (b.id.to_string(), b.epoch)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_does_not_differ_keeps_its_session() {
    let world = World::new(&["a", "b", "c", "d"], Mood::Up).await;
    ready(&world, &["a", "b", "c", "d"]).await;
    let before = epochs(&world);
    let held = world.supervisor.lease("a").await.unwrap();
    let mut events = world.supervisor.events();
    let config = changed(&world, |config| {
        config.backends.shift_remove("d");
        config.backend_mut("b").unwrap().url = Address::loopback(2);
        config.backend_mut("c").unwrap().required = true;
    });
    let change = world.supervisor.apply(config).await.unwrap();
    assert_eq!(change.untouched, ["a".parse().unwrap()]);
    assert_eq!(change.removed, ["d".parse().unwrap()]);
    assert_eq!(change.changed.iter().map(|c| c.how).collect::<Vec<_>>(), [How::Anew, How::InPlace]);
    ready(&world, &["a", "b", "c"]).await;
    let after = epochs(&world);
    assert_eq!(after.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(after[0], before[0], "untouched");
    assert!(after[1].1 > before[1].1, "a new session, and a later epoch");
    assert_eq!(after[2], before[2], "changed in place");
    assert!(world.status("c").required);
    assert_eq!(world.status("b").url, "http://127.0.0.1:2");
    assert_eq!(held.epoch().get(), before[0].1, "the lease holds");
    let mut told = Vec::new();
    while !told.contains(&"config.applied") {
        let event = events.next().await.unwrap().unwrap();
        if matches!(event.body, EventBody::BackendPhase { .. }) {
            continue;
        }
        told.push(event.body.name());
    }
    assert!(told.contains(&"backend.removed"), "{told:?}");
    assert!(matches!(world.supervisor.lease("d").await.map(drop), Err(Error::UnknownBackend { .. })));
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_is_waited_for_within_a_limit() {
    let world = World::new(&["a", "b"], Mood::Up).await;
    ready(&world, &["a", "b"]).await;
    let lease = world.supervisor.lease("a").await.unwrap();
    let config = changed(&world, |config| drop(config.backends.shift_remove("a")));
    let begun = Instant::now();
    let handle = world.supervisor.handle();
    let mut applying = JoinSet::new();
    applying.spawn(async move { handle.apply(config).await });
    world.until("a", |b| b.phase == Phase::Draining).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    drop(lease);
    applying.join_next().await.unwrap().unwrap().unwrap();
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(7), "{took:?}");

    let lease = world.supervisor.lease("b").await.unwrap();
    let config = changed(&world, |config| drop(config.backends.shift_remove("b")));
    let begun = Instant::now();
    world.supervisor.apply(config).await.unwrap();
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(20) && took < Duration::from_secs(23), "{took:?}");
    assert!(world.supervisor.snapshot().backends.is_empty());
    drop(lease);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_backend_gets_it_under_its_new_settings() {
    let world = World::new(&["a"], Mood::Down).await;
    world.until("a", |b| b.phase == Phase::Waiting).await;
    let handle = world.supervisor.handle();
    let mut waiting = JoinSet::new();
    waiting.spawn(async move { handle.lease("a").await.map(|lease| lease.epoch().get()) });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = world.status("a").epoch;
    let config = changed(&world, |config| config.backend_mut("a").unwrap().url = Address::loopback(2));
    world.supervisor.apply(config).await.unwrap();
    world.actor("a").becomes(Mood::Up);
    assert!(waiting.join_next().await.unwrap().unwrap().unwrap() > before);
}

#[tokio::test(start_paused = true)]
async fn a_backend_can_be_disabled_and_come_back() {
    let world = World::new(&["a"], Mood::Up).await;
    ready(&world, &["a"]).await;
    let first = world.status("a").epoch;
    world
        .supervisor
        .apply(changed(&world, |config| config.backend_mut("a").unwrap().enabled = false))
        .await
        .unwrap();
    assert_eq!((world.status("a").phase, world.status("a").enabled), (Phase::Idle, false));
    world
        .supervisor
        .apply(changed(&world, |config| config.backend_mut("a").unwrap().enabled = true))
        .await
        .unwrap();
    ready(&world, &["a"]).await;
    assert!(world.status("a").epoch > first);
    let nothing = world.supervisor.apply(Config::clone(&world.supervisor.config())).await.unwrap();
    assert!(nothing.is_empty());
}

#[tokio::test(start_paused = true)]
async fn changes_come_one_after_the_other_and_the_last_one_counts() {
    let world = World::new(&["a", "b", "c"], Mood::Up).await;
    let all = changed(&world, |_| {});
    let mut turns = JoinSet::new();
    for turn in 0..20_u16 {
        let (handle, mut config) = (world.supervisor.handle(), all.clone());
        config.backend_mut("a").unwrap().url = Address::loopback(10 + turn);
        if turn % 2 == 0 {
            config.backends.shift_remove("b");
        }
        turns.spawn(async move { handle.apply(config).await });
    }
    while let Some(done) = turns.join_next().await {
        done.unwrap().unwrap();
    }
    world.supervisor.apply(all).await.unwrap();
    ready(&world, &["a", "b", "c"]).await;
    let shown = world.supervisor.snapshot();
    assert_eq!(shown.backends.iter().map(|b| b.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let tree = &shown.tree;
    let backends = tree.child("backends").unwrap();
    assert_eq!(backends.children.len(), 3);
}
