//! What is remembered of a backend's past.

use std::time::Duration;

use backline::{model::Phase, supervisor::query::HistoryOf};

use crate::world::{Mood, World};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn uptime_and_latency_are_told_over_a_day_in_buckets_that_fit_the_window() {
    let world = World::new(&["a", "idle"], Mood::Up).await;
    world.until("a", |b| b.phase == Phase::Ready).await;
    assert_eq!(world.status("a").uptime, None, "nothing was measured yet");
    tokio::time::sleep(30 * MINUTE).await;
    world.actor("a").becomes(Mood::Down);
    tokio::time::sleep(10 * MINUTE).await;
    world.actor("a").becomes(Mood::Up);
    world.until("a", |b| b.phase == Phase::Ready).await;
    tokio::time::sleep(20 * Duration::from_secs(1)).await;
    let uptime = world.status("a").uptime.unwrap();
    assert!((0.74..0.76).contains(&uptime), "30 of 40 minutes: {uptime}");
    assert_eq!(world.status("idle").uptime, Some(1.0));

    let day = world.supervisor.query(HistoryOf::id("a").window(1440 * MINUTE)).await.unwrap();
    assert_eq!(day.bucket_s, 60);
    let ready: f64 = day.buckets.iter().map(|b| b.ready_s).sum();
    let down: f64 = day.buckets.iter().map(|b| b.down_s).sum();
    assert!((1_800.0..1_860.0).contains(&ready) && (580.0..620.0).contains(&down), "{ready} {down}");
    let probes: u32 = day.buckets.iter().map(|b| b.probes_ok).sum();
    assert!(probes > 340, "a probe each 5 s: {probes}");
    let phases: Vec<_> = day.timeline.iter().map(|s| (s.phase, s.times > 10)).collect();
    use Phase::{Dialing, Ready, Waiting};
    assert_eq!(phases[..2], [(Dialing, false), (Ready, false)]);
    assert!(phases.contains(&(Waiting, true)), "the attempts are one step: {:#?}", day.timeline);
    assert_eq!(phases.last(), Some(&(Ready, false)));
    assert!(day.timeline.len() < 8, "{:#?}", day.timeline);

    let near = world.supervisor.query(HistoryOf::id("a").window(5 * MINUTE)).await.unwrap();
    assert_eq!((near.bucket_s, near.window_s), (1, 300));
    assert!(near.buckets.len() <= 302);
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_nobodys_fault_and_a_question_about_nobody_is_refused() {
    let world = World::new(&["a"], Mood::Up).await;
    world.until("a", |b| b.phase == Phase::Ready).await;
    tokio::time::sleep(MINUTE).await;
    world.supervisor.pause_backend("a").unwrap();
    tokio::time::sleep(60 * MINUTE).await;
    assert_eq!(world.status("a").uptime, Some(1.0));
    let hour = world.supervisor.query(HistoryOf::id("a").window(60 * MINUTE)).await.unwrap();
    let off: f64 = hour.buckets.iter().map(|b| b.off_s).sum();
    assert!(off > 3_500.0, "{off}");
    assert!(world.supervisor.query(HistoryOf::id("b")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_the_history_and_the_last_known_facts_and_its_gap_is_a_gap() {
    let home = tempfile::tempdir().unwrap();
    let first = World::kept(&["a"], Mood::Up, home.path()).await;
    first.until("a", |b| b.phase == Phase::Ready).await;
    tokio::time::sleep(MINUTE).await;
    // Right after a probe: none comes between the look and the end.
    let checked = first.status("a").last_check_at;
    first.until("a", |b| b.last_check_at != checked).await;
    let before = first.supervisor.query(HistoryOf::id("a")).await.unwrap();
    let connected_at = first.status("a").connected_at;
    assert!(first.supervisor.shutdown(MINUTE).await.clean);

    // It is away when Backline comes back.
    let second = World::kept(&["a"], Mood::Down, home.path()).await;
    second.until("a", |b| b.observed_at.is_some()).await;
    let status = second.status("a");
    assert_eq!((status.version.as_deref(), status.connected_at), (Some("1"), connected_at));
    assert_ne!(status.phase, Phase::Ready, "what is known is not what is");
    let after = second.supervisor.query(HistoryOf::id("a").window(1_440 * MINUTE)).await.unwrap();
    let sums = |report: &backline::history::HistoryReport| {
        let ready: f64 = report.buckets.iter().map(|b| b.ready_s).sum();
        (report.buckets.iter().map(|b| b.probes_ok).sum::<u32>(), ready.round())
    };
    assert_eq!(sums(&after), sums(&before), "nothing is lost, and nothing counted for the time between");
    let phases: Vec<_> = after.timeline.iter().map(|s| s.phase).collect();
    use Phase::{Closed, Dialing, Ready, Waiting};
    assert_eq!(phases[..3], [Dialing, Ready, Closed], "{phases:?}");
    assert!(phases[3..].contains(&Waiting), "{phases:?}");

    // A third run has both.
    second.actor("a").becomes(Mood::Up);
    second.until("a", |b| b.phase == Phase::Ready).await;
    tokio::time::sleep(MINUTE).await;
    assert!(second.supervisor.shutdown(MINUTE).await.clean);
    let third = World::kept(&["a"], Mood::Down, home.path()).await;
    third.until("a", |b| b.observed_at.is_some()).await;
    let report = third.supervisor.query(HistoryOf::id("a").window(1_440 * MINUTE)).await.unwrap();
    let (probes, ready) = sums(&report);
    assert!(probes > sums(&before).0 + 10, "{probes}");
    let minute = ready - sums(&before).1;
    assert!((58.0..62.0).contains(&minute), "another minute: {minute}");
}

#[tokio::test(start_paused = true)]
async fn a_cordon_and_its_end_survive_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let first = World::kept(&["a"], Mood::Up, home.path()).await;
    first.until("a", |b| b.phase == Phase::Ready).await;
    first.supervisor.cordon("a").unwrap();
    let since = first.status("a").cordoned_at.unwrap();
    assert!(first.supervisor.shutdown(MINUTE).await.clean);

    let second = World::kept(&["a"], Mood::Up, home.path()).await;
    second.until("a", |b| b.phase == Phase::Ready && b.cordoned_at.is_some()).await;
    let kept = second.status("a").cordoned_at.unwrap();
    assert_eq!(kept.as_millisecond(), since.as_millisecond());
    let refused = second.supervisor.lease_within("a", Duration::ZERO).await.map(drop).unwrap_err();
    assert!(refused.to_string().contains("cordoned since"), "{refused}");
    second.supervisor.uncordon("a").unwrap();
    drop(second.supervisor.lease("a").await.unwrap());
    assert!(second.supervisor.shutdown(MINUTE).await.clean);

    let third = World::kept(&["a"], Mood::Up, home.path()).await;
    third.until("a", |b| b.phase == Phase::Ready && b.observed_at.is_some()).await;
    tokio::time::sleep(MINUTE).await;
    assert_eq!(third.status("a").cordoned_at, None);
    drop(third.supervisor.lease("a").await.unwrap());
}
