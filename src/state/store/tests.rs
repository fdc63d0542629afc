//! The store in virtual time, in memory, with the disk's failures played.

use std::time::Duration;

use crate::state::{Cause, Condition, Outcome, Serving, Store, Trouble};

async fn store() -> (Store, Serving) {
    let store = Store::in_memory().await.unwrap();
    let serving = store.serve();
    store.write("the table", |t| t.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)")).await.unwrap();
    (store, serving)
}

async fn put(store: &Store, n: i64) -> Result<(), Trouble> {
    store.write("a row", move |t| t.execute("INSERT INTO t VALUES (?1)", [n]).map(|_| ())).await
}

async fn rows(store: &Store) -> Vec<i64> {
    let read = |c: &rusqlite::Connection| {
        c.prepare("SELECT n FROM t ORDER BY n")?.query_map((), |row| row.get(0))?.collect()
    };
    store.read("the rows", read).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_was_acknowledged_is_read() {
    let (store, _serving) = store().await;
    put(&store, 1).await.unwrap();
    assert_eq!(rows(&store).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_fails_undoes_itself_alone() {
    let (store, _serving) = store().await;
    put(&store, 1).await.unwrap();
    let half = store.write("half of it", |t| {
        t.execute("INSERT INTO t VALUES (7)", ())?;
        t.execute("INSERT INTO t VALUES (1)", ()).map(|_| ())
    });
    let panicking = store.write("a mistake", |_| -> rusqlite::Result<()> { panic!("on purpose") });
    let (a, b, half, panicking) = tokio::join!(put(&store, 2), put(&store, 3), half, panicking);
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(half.unwrap_err().cause(), Cause::Conflict);
    assert_eq!(panicking.unwrap_err().cause(), Cause::Rejected);
    assert_eq!(rows(&store).await, [1, 2, 3]);
    assert!(store.watch().borrow().is_open());
}

#[tokio::test(start_paused = true)]
async fn a_failed_commit_fails_all_of_its_batch_and_the_store_comes_back() {
    let (store, _serving) = store().await;
    store.fail_commits(1, 1);
    let (a, b) = tokio::join!(put(&store, 1), put(&store, 2));
    assert_eq!(store.failures_played(), 1);
    for failed in [a, b] {
        let trouble = failed.unwrap_err();
        assert_eq!((trouble.cause(), trouble.outcome()), (Cause::Io, Outcome::Unknown));
    }
    // At once, not after a wait.
    assert_eq!(put(&store, 3).await.unwrap_err().cause(), Cause::Io);
    store.watch().wait_for(Condition::is_open).await.unwrap();
    put(&store, 4).await.unwrap();
    assert_eq!(rows(&store).await, [4]);
}

#[tokio::test(start_paused = true)]
async fn lazy_writes_come_within_a_second_and_survive_trouble() {
    let (store, _serving) = store().await;
    store.fail_commits(1, 1);
    store.fail_openings(2);
    for n in 0..10 {
        store.later("a row", move |t| t.execute("INSERT INTO t VALUES (?1)", [n]).map(|_| ()));
    }
    store.watch().wait_for(|c| !c.is_open()).await.unwrap();
    store.watch().wait_for(Condition::is_open).await.unwrap();
    assert_eq!(store.failures_played(), 3);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(rows(&store).await, (0..10).collect::<Vec<_>>());
}
