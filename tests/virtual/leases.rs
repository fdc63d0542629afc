//! Leases: in turn, within a time, with a reason, and given back whatever happens.

use std::time::Duration;

use backline::{
    Error,
    model::{Code, Phase},
};
use tokio::{task::JoinSet, time::Instant};

use crate::world::{Mood, World};

#[tokio::test(start_paused = true)]
async fn a_lease_waits_for_a_backend_that_is_on_its_way() {
    let world = World::new(&["a"], Mood::Down).await;
    let waiting = world.supervisor.handle();
    let mut lease = JoinSet::new();
    lease.spawn(async move { waiting.lease("a").await.map(|l| l.epoch()) });
    tokio::time::sleep(Duration::from_secs(5)).await;
    world.actor("a").becomes(Mood::Up);
    assert!(lease.join_next().await.unwrap().unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_waited_in_vain_says_which_wait_it_was_and_why() {
    let world = World::new(&["a"], Mood::Down).await;
    let begun = Instant::now();
    match world.supervisor.lease("a").await.map(drop) {
        Err(Error::Unavailable { wait: "a ready session", fault: Some(fault), .. }) => {
            assert_eq!(fault.code(), Code::ConnectionRefused);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(begun.elapsed().as_secs(), 30);
    assert!(matches!(world.supervisor.lease("nobody").await.map(drop), Err(Error::UnknownBackend { .. })));

    let world = World::new(&["b"], Mood::Up).await;
    world.until("b", |b| b.phase == Phase::Ready).await;
    let mut held = Vec::new();
    while let Ok(lease) = world.supervisor.lease_within("b", Duration::ZERO).await {
        held.push(lease);
    }
    assert_eq!(held.len(), 8, "the slots of the kind");
    let full = world.supervisor.lease_within("b", Duration::from_secs(1)).await.map(drop);
    assert!(matches!(full, Err(Error::Unavailable { wait: "a free slot", .. })), "{full:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slot_comes_back_when_its_lease_is_dropped_cancelled_or_panicked_away() {
    let world = World::new(&["a"], Mood::Up).await;
    world.until("a", |b| b.phase == Phase::Ready).await;
    for turn in 0..200 {
        let handle = world.supervisor.handle();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let _lease = handle.lease("a").await.unwrap();
            assert!(turn % 3 != 1, "a bug in the host");
            if turn % 3 == 2 {
                std::future::pending::<()>().await;
            }
        });
        tokio::task::yield_now().await;
        if turn % 3 == 2 {
            task.abort_all();
        }
        // Each ends in its own way.
        let _ = task.join_next().await;
    }
    let mut held = Vec::new();
    while let Ok(lease) = world.supervisor.lease_within("a", Duration::ZERO).await {
        held.push(lease);
    }
    assert_eq!(held.len(), 8);
}

#[tokio::test(start_paused = true)]
async fn waiters_are_served_in_turn_and_none_is_stranded_when_the_backend_dies() {
    let world = World::new(&["a"], Mood::Up).await;
    world.until("a", |b| b.phase == Phase::Ready).await;
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(world.supervisor.lease("a").await.unwrap());
    }
    let (order, mut served) = tokio::sync::mpsc::channel(100);
    let mut waiters = JoinSet::new();
    for turn in 0..20 {
        let (handle, order) = (world.supervisor.handle(), order.clone());
        waiters.spawn(async move {
            let lease = handle.lease("a").await;
            order.send((turn, lease.is_ok())).await.unwrap();
        });
        tokio::task::yield_now().await;
    }
    drop((order, held));
    let mut turns = Vec::new();
    for _ in 0..10 {
        turns.push(served.recv().await.unwrap());
    }
    assert!(turns.is_sorted() && turns.iter().all(|(_, ok)| *ok), "{turns:?}");
    world.actor("a").becomes(Mood::Down);
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.actor("a").becomes(Mood::Up);
    while let Some((turn, ok)) = served.recv().await {
        assert!(ok, "waiter {turn} was stranded");
        turns.push((turn, ok));
    }
    assert_eq!(turns.len(), 20);
}
