//! Backends that need others: one cause is told once, by its name, and is over when the other one is back.

use std::time::Duration;

use backline::{
    Error,
    model::{Code, Health, Notice, Phase},
    notices::Wanted,
    supervisor::query::HealthOf,
};

use crate::world::{Mood, World, pool};

/// `a` needs `b`, which needs `c`; `d` needs nobody.
async fn chain() -> World {
    let world = World::pooled(&["a", "b", "c", "d"], &[pool("both", &["a", "d"])], |backend| {
        let needs = match backend.id.as_str() {
            "a" => "b",
            "b" => "c",
            _ => return,
        };
        backend.depends_on = vec![needs.parse().unwrap()];
        backend.limits.slots = 2;
    })
    .await;
    for name in ["a", "b"] {
        assert_eq!((world.status(name).health, &world.status(name).root_cause), (Health::Healthy, &None));
    }
    world
}

fn open(world: &World) -> Vec<Notice> {
    world.supervisor.notices(Wanted::Shown)
}

/// Waits until no notice is open.
async fn all_clear(world: &World) {
    for _ in 0..600 {
        if open(world).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{:#?}", open(world));
}

#[tokio::test(start_paused = true)]
async fn what_goes_down_is_told_once_with_those_that_need_it_and_is_over_when_it_is_back() {
    let world = chain().await;
    world.actor("c").becomes(Mood::Down);
    let took = world.until("a", |b| b.health == Health::Degraded).await;
    assert!(took <= Duration::from_secs(2), "{took:?}");
    tokio::time::sleep(Duration::from_secs(60)).await;
    for name in ["a", "b"] {
        let status = world.status(name);
        let root = status.root_cause.clone().unwrap();
        assert_eq!((status.phase, root.backend.as_str()), (Phase::Ready, "c"));
        assert_eq!(status.reason.as_deref(), Some("c is down: nothing is listening"));
    }
    let report = world.supervisor.query(HealthOf::id("a")).await.unwrap();
    assert_eq!(report.health, Health::Degraded);
    assert!(report.answers.ready.evidence.ends_with("but c is down: nothing is listening"), "{report:?}");
    let told = open(&world);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!((told[0].code, told[0].backend.as_ref().unwrap().as_str()), (Code::ConnectionRefused, "c"));
    assert_eq!(told[0].message, "nothing is listening; a, b are degraded because of it");
    let other = world.status("d");
    assert_eq!((other.health, &other.reason, &other.root_cause), (Health::Healthy, &None, &None));
    world.actor("c").becomes(Mood::Up);
    world.until("a", |b| b.health == Health::Healthy && b.reason.is_none() && b.root_cause.is_none()).await;
    world.until("b", |b| b.health == Health::Healthy && b.root_cause.is_none()).await;
    all_clear(&world).await;
}

#[tokio::test(start_paused = true)]
async fn what_falls_with_it_says_nothing_itself_and_gets_a_grace_once_it_is_back() {
    let world = chain().await;
    ["a", "b", "c"].iter().for_each(|name| world.actor(name).becomes(Mood::Down));
    tokio::time::sleep(Duration::from_secs(120)).await;
    let told = open(&world);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0].backend.as_ref().unwrap().as_str(), "c");
    // The two come back a little later than what they need: within the grace nobody is told of them.
    let mut events = world.supervisor.events();
    world.actor("c").becomes(Mood::Up);
    world.until("c", |b| b.phase == Phase::Ready).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    ["b", "a"].iter().for_each(|name| world.actor(name).becomes(Mood::Up));
    for name in ["a", "b"] {
        world.until(name, |b| b.health == Health::Healthy && b.root_cause.is_none()).await;
    }
    all_clear(&world).await;
    while let Some(Some(Ok(event))) =
        futures_util::FutureExt::now_or_never(futures_util::StreamExt::next(&mut events))
    {
        assert_ne!(event.body.name(), "notice.raised", "{event:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_come_back_with_what_it_needs_is_told_by_its_own_cause() {
    let world = chain().await;
    ["b", "c"].iter().for_each(|name| world.actor(name).becomes(Mood::Down));
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.actor("c").becomes(Mood::Up);
    world.until("c", |b| b.phase == Phase::Ready).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let told = open(&world);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0].backend.as_ref().unwrap().as_str(), "b");
    assert_eq!(told[0].message, "nothing is listening; a is degraded because of it");
}

#[tokio::test(start_paused = true)]
async fn a_pool_prefers_the_member_whose_needs_are_met_and_uses_the_other_where_it_has_to() {
    let world = chain().await;
    world.actor("c").becomes(Mood::Down);
    world.until("a", |b| b.health == Health::Degraded).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..50 {
        let lease = world.supervisor.lease("both").await.unwrap();
        assert_eq!(lease.backend().as_str(), "d");
    }
    let snapshot = world.supervisor.snapshot();
    let routes = &snapshot.pools.iter().find(|pool| &*pool.id == "both").unwrap().routes;
    assert!(routes[0].standing.ends_with("; c is down: nothing is listening"), "{routes:?}");
    assert!(!routes[1].standing.contains("is down"), "{routes:?}");
    world.actor("d").becomes(Mood::Down);
    world.until("d", |b| b.phase == Phase::Waiting).await;
    assert_eq!(world.supervisor.lease("both").await.unwrap().backend().as_str(), "a");
    world.actor("a").becomes(Mood::Down);
    world.until("a", |b| b.phase == Phase::Waiting).await;
    let refused =
        world.supervisor.lease_within("both", Duration::from_millis(1)).await.map(drop).unwrap_err();
    assert!(matches!(&refused, Error::Unavailable { why, .. } if why.contains("c is down")), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn what_a_person_paused_or_disabled_degrades_what_needs_it_and_stops_nothing() {
    let world = World::with(&["a", "b", "off"], Mood::Up, |backend| match backend.id.as_str() {
        "a" => backend.depends_on = vec!["b".parse().unwrap()],
        "b" => backend.depends_on = vec!["off".parse().unwrap()],
        _ => backend.enabled = false,
    })
    .await;
    // Neither waits for what nobody will dial.
    for name in ["a", "b"] {
        world
            .until(name, |b| b.phase == Phase::Ready && b.reason.as_deref() == Some("off is disabled"))
            .await;
        drop(world.supervisor.lease(name).await.unwrap());
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    let told = open(&world);
    assert!(told.iter().all(|notice| notice.code == Code::DependencyDown), "{told:#?}");
    assert_eq!(told.len(), 2);
    world.supervisor.pause_backend("b").unwrap();
    world.until("a", |b| b.reason.as_deref() == Some("b is paused")).await;
    drop(world.supervisor.lease("a").await.unwrap());
    world.supervisor.resume_backend("b").unwrap();
    world.until("a", |b| b.reason.as_deref() == Some("off is disabled")).await;
}
