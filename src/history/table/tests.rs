use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{
    history::{
        bucket::{Bucket, Standing},
        memory::{Cause, Facts, Memory},
        tier::{Keep, Tiers},
    },
    model::{Capability, Evidence, Identity},
};

const T0: i64 = 1_800_000_000_000;
const KEEP: [Duration; 3] =
    [Duration::from_secs(300), Duration::from_secs(3_600), Duration::from_secs(86_400)];

fn database() -> Connection {
    let on = Connection::open_in_memory().unwrap();
    on.execute_batch(include_str!("../../state/schema/003_history.sql")).unwrap();
    on
}

fn put(on: &mut Connection, run: &str, now_ms: i64, news: Vec<News>) {
    let on = on.transaction().unwrap();
    write(&on, &Batch { run: Arc::from(run), now_ms, keep: KEEP, news }).unwrap();
    on.commit().unwrap();
}

fn news(id: &str) -> News {
    News { backend: id.parse().unwrap(), reels: Vec::new(), steps: Vec::new(), memory: None }
}

fn memory(version: &str) -> Kept {
    let at = timestamp(T0);
    let facts = Facts {
        observed_at: at,
        epoch: 7,
        identity: Identity {
            version: Some(version.to_owned()),
            capabilities: vec![Capability::TextChat],
            models: ["m".to_owned()].into(),
            evidence: vec![Evidence::of(Capability::TextChat)],
            ..Identity::default()
        },
    };
    let cause = Cause { code: "connection_refused".to_owned(), message: "refused".to_owned(), at };
    let memory =
        Memory { connected_at: Some(at), cause: Some(cause), facts: Some(facts), ..Memory::default() };
    Kept { kind: "openai".to_owned(), url: "http://127.0.0.1:1".to_owned(), memory }
}

fn count(on: &Connection, table: &str) -> u32 {
    on.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_measured_comes_back_bucket_for_bucket(probes in prop::collection::vec((0..9_000i64, 0..90_000u64), 1..200)) {
        let mut tiers = Tiers::new(Keep::default());
        tiers.archive();
        let mut at = T0;
        let mut on = database();
        for (n, (wait, us)) in probes.iter().enumerate() {
            tiers.stood(Standing::Ready, at, at + wait);
            at += wait;
            if us % 5 == 0 { tiers.missed(at) } else { tiers.answered(at, Duration::from_micros(*us)) }
            if n % 7 == 0 {
                put(&mut on, "1", T0, vec![News { reels: tiers.take_new(), ..news("a") }]);
            }
        }
        tiers.close();
        put(&mut on, "1", T0, vec![News { reels: tiers.take_new(), ..news("a") }]);
        let past = read(&on, "2").unwrap().remove("a").unwrap();
        let mut loaded = Tiers::new(Keep::default());
        loaded.absorb(&past);
        let all = |tiers: &Tiers, n: usize| tiers.0[n].iter().collect::<Vec<Bucket>>();
        for n in 0..3 {
            prop_assert_eq!(all(&loaded, n), all(&tiers, n));
        }
        prop_assert!(read(&on, "1").unwrap().is_empty(), "a run does not read itself");
    }

    #[test]
    fn bytes_that_are_no_buckets_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let reel = Reel { width: 1, from_s: T0 / 1_000, to_s: T0 / 1_000 + 10, bytes };
        let mut tiers = Tiers::new(Keep::default());
        tiers.absorb(&Past { reels: vec![reel], ..Past::default() });
        tiers.forget(T0);
        tiers.window(T0, Duration::from_secs(60));
    }
}

#[test]
fn what_is_too_old_goes_and_steps_are_bounded() {
    let mut on = database();
    let reel = |age_s: i64, width: u32| {
        let to_s = T0 / 1_000 - age_s;
        Reel { width, from_s: to_s - i64::from(width), to_s, bytes: vec![0, 0] }
    };
    let reels =
        vec![reel(10, 1), reel(301, 1), reel(301, 10), reel(3_601, 10), reel(3_601, 60), reel(86_401, 60)];
    let step = |n: i64| {
        let phase = if n % 2 == 0 { Phase::Ready } else { Phase::Waiting };
        Step::new(timestamp(T0 - 1_000 + n), phase, Some("hang"), Some("silent"))
    };
    let steps: Vec<Step> = (0..300).map(step).collect();
    put(&mut on, "1", T0, vec![News { reels, steps, ..news("a") }]);
    assert_eq!(count(&on, "history_reel"), 3);
    assert_eq!(count(&on, "history_step"), 201);
    put(&mut on, "1", T0 + 90_000_000, Vec::new());
    assert_eq!((count(&on, "history_reel"), count(&on, "history_step")), (0, 0));
}

#[test]
fn a_step_that_repeats_is_one_row_and_the_time_without_backline_is_a_step() {
    let mut on = database();
    let mut waiting = Step::new(timestamp(T0), Phase::Waiting, Some("connection_refused"), Some("refused"));
    put(&mut on, "1", T0, vec![News { steps: vec![waiting.clone()], ..news("a") }]);
    (waiting.times, waiting.last_at) = (9, timestamp(T0 + 5_000));
    put(&mut on, "1", T0, vec![News { steps: vec![waiting.clone()], ..news("a") }]);
    let past = read(&on, "2").unwrap().remove("a").unwrap();
    assert_eq!(past.steps, [waiting]);
    let ended = past.ended().unwrap();
    assert_eq!((ended.phase, ended.at), (Phase::Closed, timestamp(T0 + 5_000)));

    // The next run notes the end of the one before, and the one after that finds both.
    let mut timeline = crate::history::timeline::Timeline::default();
    timeline.push(Step::new(timestamp(T0 + 60_000), Phase::Ready, None, None));
    timeline.precede(past.steps.clone(), Some(ended));
    let steps = timeline.take_new();
    assert!(timeline.take_new().is_empty());
    put(&mut on, "2", T0, vec![News { steps, ..news("a") }]);
    let phases = read(&on, "3").unwrap()["a"].steps.iter().map(|s| s.phase).collect::<Vec<_>>();
    assert_eq!(phases, [Phase::Waiting, Phase::Closed, Phase::Ready]);
}

#[test]
fn a_memory_comes_back_and_what_cannot_be_read_is_left_out() {
    let mut on = database();
    for version in ["1", "2"] {
        put(&mut on, "1", T0, vec![News { memory: Some(memory(version)), ..news("a") }]);
    }
    on.execute_batch(
        "INSERT INTO backend_memory VALUES ('b', 'openai', 'x', 'no json', 0), ('NOT AN ID', 'openai', 'x', '{}', 0);
         INSERT INTO history_step VALUES ('c', '1', 1, 'dreaming', NULL, NULL, 1, 1);",
    )
    .unwrap();
    let all = read(&on, "2").unwrap();
    assert_eq!(all.keys().map(BackendId::as_str).collect::<Vec<_>>(), ["a"]);
    assert_eq!(all["a"].memory, Some(memory("2")));
    assert_eq!(Timestamp::from_millisecond(T0).unwrap(), timestamp(T0));
}

#[test]
fn a_memory_of_another_version_is_read_as_far_as_it_is_known() {
    let text = r#"{"facts":{"observed_at":"2026-01-01T00:00:00Z","epoch":7,"version":"2","title":null,
        "capabilities":["text.chat","of.the.future"],"models":["m"],"functions":[],"of_the_future":[1],
        "evidence":[{"capability":"of.the.future"},{"capability":"text.chat","models":["m"]}]}}"#;
    let memory: Memory = serde_json::from_str(text).unwrap();
    let known = memory.observed().unwrap();
    assert_eq!(known.identity.capabilities, [Capability::TextChat]);
    assert_eq!((known.identity.evidence.len(), known.epoch.get()), (1, 7));
    assert_eq!(&*known.identity.models, ["m".to_owned()]);
}
