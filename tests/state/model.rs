//! Random histories of writes, failures and restarts, beside a model that is a map.

use std::collections::{BTreeMap, BTreeSet};

use backline::state::{Condition, Outcome, Store};
use proptest::prelude::*;

use crate::place::{Place, all, close, open, put};

#[derive(Debug, Clone)]
enum Step {
    /// Writes that wait together: each a key and a value.
    Writes(Vec<(u8, u8)>),
    /// A write whose second half contradicts.
    Halves(u8),
    Later(u8, u8),
    FailCommit(u64),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => prop::collection::vec((any::<u8>(), any::<u8>()), 1..6).prop_map(Step::Writes),
        1 => any::<u8>().prop_map(Step::Halves),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(k, v)| Step::Later(k, v)),
        2 => (1_u64..4).prop_map(Step::FailCommit),
        1 => Just(Step::Reopen),
    ]
}

async fn opened(store: &Store) {
    store.watch().wait_for(Condition::is_open).await.unwrap();
}

async fn play(steps: Vec<Step>) {
    let place = Place::new();
    let (mut store, mut serving) = open(&place.path()).await;
    let mut model = BTreeMap::new();
    // Lazy writes have keys of their own, each once: they may come in any order with the others.
    let mut lazy = BTreeSet::new();
    for (n, step) in steps.into_iter().enumerate() {
        match step {
            Step::Writes(pairs) => {
                // One task in order: the last of a key wins in both.
                let writes = pairs.iter().map(|(k, v)| put(&store, k.to_string(), v.to_string()));
                let outcomes = futures_util::future::join_all(writes).await;
                for ((k, v), outcome) in pairs.iter().zip(outcomes) {
                    match outcome {
                        Ok(()) => _ = model.insert(k.to_string(), v.to_string()),
                        Err(trouble) => {
                            assert_eq!(trouble.outcome() == Outcome::Unknown, trouble.is_retryable())
                        }
                    }
                }
            }
            Step::Halves(k) => {
                let key = k.to_string();
                let halves = store.write("two halves", move |t| {
                    t.execute("INSERT OR REPLACE INTO meta VALUES (?1, 'half')", [&key])?;
                    t.execute("INSERT INTO meta VALUES (?1, 'half')", [&key]).map(|_| ())
                });
                assert!(halves.await.is_err());
            }
            Step::Later(k, v) => {
                let (key, value) = (format!("lazy {n} {k}"), v.to_string());
                lazy.insert((key.clone(), value.clone()));
                store.later("a lazy value", move |t| {
                    t.execute("INSERT INTO meta VALUES (?1, ?2)", (&key, &value)).map(|_| ())
                });
            }
            Step::FailCommit(nth) => store.fail_commits(nth, 1),
            Step::Reopen => {
                store.fail_commits(1, 0);
                opened(&store).await;
                close(serving).await;
                (store, serving) = open(&place.path()).await;
            }
        }
        opened(&store).await;
    }
    store.fail_commits(1, 0);
    opened(&store).await;
    close(serving).await;
    let (store, _serving) = open(&place.path()).await;
    let (rows_lazy, rows): (Vec<_>, Vec<_>) =
        all(&store).await.into_iter().partition(|(k, _)| k.starts_with("lazy"));
    assert_eq!(rows_lazy, lazy.into_iter().collect::<Vec<_>>());
    assert_eq!(rows, model.into_iter().collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acknowledged_is_there_and_nothing_else(steps in prop::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(play(steps));
    }
}
