//! The process is killed, the log is cut: what was acknowledged is there.

use std::{collections::BTreeSet, fs};

use backline::state::Condition;

use crate::{
    child,
    place::{MAIN, Place, all, close, open, put},
};

const KILLS: usize = 200;

#[tokio::test]
async fn after_a_kill_at_any_moment_nothing_acknowledged_is_missing() {
    let place = Place::new();
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let (mut acknowledged, mut killed_writing) = (0, 0);
    for round in 0..KILLS {
        let (mut child, mut lines) = child::start(&place.path(), round, 10_000, &[]);
        let mut said = Vec::new();
        let after = dice.usize(0..40);
        while said.len() < after {
            said.push(lines.next().expect("it ended before it was killed").unwrap());
        }
        // Somewhere in the next commit, or between two.
        (0..dice.u32(0..200_000)).for_each(|_| std::hint::spin_loop());
        child.kill().unwrap();
        child.wait().unwrap();
        said.extend(lines.map_while(Result::ok));
        let keys: BTreeSet<&str> = said.iter().filter_map(|line| line.strip_prefix("ok ")).collect();
        acknowledged += keys.len();
        killed_writing += usize::from(!keys.is_empty());
        assert!(!said.iter().any(|line| line.starts_with("err") || line == "refusing"), "{said:?}");
        check(&place, round, &keys, acknowledged).await;
    }
    assert!(killed_writing > KILLS / 2, "only {killed_writing} of {KILLS} kills met a writer");
}

/// Opens it as the next process would.
async fn check(place: &Place, round: usize, keys: &BTreeSet<&str>, acknowledged: usize) {
    let (store, serving) = open(&place.path()).await;
    let Condition::Open { opening } = store.watch().borrow().clone() else { panic!("{store:?}") };
    assert_eq!(opening.salvaged, None, "round {round}");
    let (there, total) = store
        .read("what is there", move |c| {
            let there: BTreeSet<String> = c
                .prepare("SELECT key FROM meta WHERE key GLOB ?1")?
                .query_map([format!("{round}-*")], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let sql = "SELECT count(*) FROM meta WHERE key NOT GLOB 'lazy*'";
            Ok((there, c.query_row(sql, (), |row| row.get::<_, i64>(0))?))
        })
        .await
        .unwrap();
    let missing: Vec<_> = keys.iter().filter(|key| !there.contains(**key)).collect();
    assert!(missing.is_empty(), "round {round}: acknowledged and gone: {missing:?}");
    assert!(total as usize >= acknowledged, "round {round}: {total} of {acknowledged} rows of all rounds");
    close(serving).await;
}

/// What a power failure leaves of the log: its beginning. The rows are then the first ones, whole, in order.
#[tokio::test]
async fn a_log_cut_or_garbled_at_any_place_gives_the_first_commits() {
    let written = Place::new();
    let (store, serving) = open(&written.path()).await;
    for n in 0..16 {
        put(&store, format!("{n:03}"), "x".repeat(300)).await.unwrap();
    }
    let (main, log) =
        (fs::read(written.file(MAIN)).unwrap(), fs::read(written.file("state.db-wal")).unwrap());
    close(serving).await;
    assert!(log.len() > 16 * 4_096, "the log has only {} bytes", log.len());
    let mut counts = BTreeSet::new();
    for (n, at) in (0..log.len()).step_by(911).enumerate() {
        let mut damaged = log.clone();
        match n % 2 {
            0 => damaged.truncate(at),
            _ => damaged[at] ^= 0xff,
        }
        let place = Place::new();
        place.put(&main);
        fs::write(place.file("state.db-wal"), damaged).unwrap();
        let (store, serving) = open(&place.path()).await;
        let keys: Vec<String> = all(&store).await.into_iter().map(|(key, _)| key).collect();
        let expected: Vec<String> = (0..keys.len()).map(|n| format!("{n:03}")).collect();
        assert_eq!(keys, expected, "at byte {at}");
        put(&store, "after".into(), "it works".into()).await.unwrap();
        close(serving).await;
        counts.insert(keys.len());
    }
    assert!(counts.len() > 10, "the cuts made no difference: {counts:?}");
}
