//! P5: a hundred backends that come back together are not dialled together.

use std::time::Duration;

use backline::model::Phase;
use tokio::time::Instant;

use crate::world::{Mood, World};

#[tokio::test(start_paused = true)]
async fn p5_after_the_first_second_no_tenth_of_a_second_holds_more_than_a_tenth_of_the_redials() {
    let names: Vec<_> = (0..100).map(|n| format!("b{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let world = World::new(&names, Mood::Up).await;
    for name in &names {
        world.until(name, |b| b.phase == Phase::Ready).await;
    }
    let cut = Instant::now();
    for name in &names {
        world.actor(name).becomes(Mood::Down);
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    let mut buckets = vec![0u32; 300];
    let mut all = 0;
    for name in &names {
        for dial in world.actor(name).dials.lock().unwrap().iter().filter(|d| **d > cut) {
            let at = (*dial - cut).as_millis() as usize / 100;
            if (10..300).contains(&at) {
                buckets[at] += 1;
                all += 1;
            }
        }
    }
    assert!(all > 1_000, "nobody redialled: {all}");
    let most = *buckets.iter().max().unwrap();
    assert!(most * 10 <= all, "{most} of {all} redials in one tenth of a second");
}
