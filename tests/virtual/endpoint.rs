//! A thousand connections to one address.

use std::time::Duration;

use backline::model::Phase;
use tokio::time::Instant;

use crate::world::{Mood, World, address};

#[tokio::test(start_paused = true)]
async fn a_thousand_connections_to_one_address_are_back_within_600_ms_with_a_dial_each() {
    let names: Vec<_> = (0..1_000).map(|n| format!("b{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let world = World::with(&names, Mood::Up, |backend| backend.url = address(0)).await;
    for name in &names {
        world.until(name, |b| b.phase == Phase::Ready).await;
        world.actor(name).takes(Duration::from_millis(10));
    }
    tokio::time::sleep(Duration::from_secs(20)).await;
    let cut = Instant::now();
    for name in &names {
        world.actor(name).becomes(Mood::Down);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let back = Instant::now();
    for name in &names {
        world.actor(name).becomes(Mood::Up);
    }
    for name in &names {
        world.until(name, |b| b.phase == Phase::Ready).await;
    }
    let (took, mut dials) = (back.elapsed(), 0);
    for name in &names {
        dials += world.actor(name).dials.lock().unwrap().iter().filter(|dial| **dial >= cut).count();
    }
    assert!(took <= Duration::from_millis(600), "the last one after {took:?}");
    assert!(dials <= 1_100, "{dials} dials");
}
