//! What a person is told of the connections, in virtual time.

use std::time::Duration;

use backline::{
    model::{Code, EventBody, Notice, Phase, Severity},
    notices::Wanted,
};
use futures_util::StreamExt;

use crate::world::{Mood, World};

/// The notices about backends. The wall clock does not move with virtual time, which is told, too.
fn open(world: &World) -> Vec<Notice> {
    let mut all = world.supervisor.notices(Wanted::Shown);
    all.retain(|n| n.backend.is_some());
    all
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_an_hour_is_one_notice_and_ends_by_itself() {
    let world = World::new(&["a"], Mood::Up).await;
    let mut events = world.supervisor.events();
    world.until("a", |b| b.phase == Phase::Ready).await;
    assert!(open(&world).is_empty());
    world.actor("a").becomes(Mood::Down);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let [notice] = &open(&world)[..] else { panic!("{:?}", open(&world)) };
    assert_eq!((notice.code, notice.severity), (Code::ConnectionRefused, Severity::Error));
    assert!(notice.count > 100, "every attempt counts: {}", notice.count);
    world.actor("a").becomes(Mood::Up);
    world.until("a", |b| b.phase == Phase::Ready).await;
    let mut told = 0;
    let ended = loop {
        match events.next().await.unwrap().map(|e| e.body.clone()) {
            Ok(EventBody::NoticeRaised(n)) if n.id == notice.id => told += 1,
            Ok(EventBody::NoticeCleared(n)) if n.id == notice.id => break n,
            _ => {}
        }
    };
    assert!((2..=121).contains(&told), "at most one in 30 s: {told}");
    assert!(ended.cleared_at.is_some());
    assert!(open(&world).is_empty());
    let all = world.supervisor.notices(Wanted::All);
    assert!(all.iter().any(|n| n.id == notice.id && n.cleared_at.is_some()), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_is_told_at_once_with_its_remedy_and_can_be_dismissed() {
    let world = World::new(&["a"], Mood::WrongKey).await;
    world.until("a", |b| b.phase == Phase::Parked).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let [notice] = &open(&world)[..] else { panic!("{:?}", open(&world)) };
    assert_eq!(notice.code, Code::AuthWrong);
    assert!(notice.fix.contains("api_key"), "{}", notice.fix);
    world.supervisor.dismiss_notice(&notice.id.to_string()).unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(open(&world).is_empty());
    let unknown = world.supervisor.dismiss_notice("n1").unwrap_err();
    assert_eq!(unknown.code(), "unknown_notice");
}

#[tokio::test(start_paused = true)]
async fn at_the_end_what_is_open_stays_open_for_the_next_run() {
    let world = World::new(&["a"], Mood::WrongKey).await;
    world.until("a", |b| b.phase == Phase::Parked).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let handle = world.supervisor.handle();
    assert!(world.supervisor.shutdown(Duration::from_secs(1)).await.clean);
    let left = handle.notices(Wanted::Shown);
    assert!(left.iter().any(|n| n.code == Code::AuthWrong), "{left:?}");
}
