//! Databases of other versions.

use std::fs;

use backline::state::{Cause, Condition, Store};

use crate::place::{MAIN, Place, all, close, open};

/// Written by schema 1. To write one anew, check out the commit that introduced it and run
/// `BACKLINE_STATE_CHILD=tests/fixtures/state/schema-1.db cargo test --test state -- --ignored child_writes_a_fixture`.
const SCHEMA_1: &[u8] = include_bytes!("../fixtures/state/schema-1.db");

#[tokio::test]
#[ignore = "writes a fixture"]
async fn child_writes_a_fixture() {
    let to = std::env::var("BACKLINE_STATE_CHILD").unwrap();
    let place = Place::new();
    let (store, serving) = open(&place.path()).await;
    for n in 0..200 {
        crate::place::put(&store, format!("key {n:03}"), format!("value {n}")).await.unwrap();
    }
    close(serving).await;
    fs::copy(place.file(MAIN), to).unwrap();
}

#[tokio::test]
async fn a_database_of_schema_1_opens_and_migrates() {
    let place = Place::new();
    place.put(SCHEMA_1);
    let (store, serving) = open(&place.path()).await;
    let Condition::Open { opening } = store.watch().borrow().clone() else { panic!("{store:?}") };
    assert_eq!((opening.from, &opening.salvaged), (1, &None));
    assert!(opening.version >= 1);
    let rows = all(&store).await;
    assert_eq!(rows.len(), 200);
    assert_eq!(rows[7], ("key 007".to_owned(), "value 7".to_owned()));
    let applied: u32 = store
        .read("the steps", |c| c.query_row("SELECT max(number) FROM migrations", (), |row| row.get(0)))
        .await
        .unwrap();
    assert_eq!(applied, opening.version);
    close(serving).await;
}

fn with_pragma(name: &str, value: i64) -> (Place, Vec<u8>) {
    let place = Place::new();
    place.put(SCHEMA_1);
    let connection = rusqlite::Connection::open(place.file(MAIN)).unwrap();
    connection.pragma_update(None, name, value).unwrap();
    drop(connection);
    let bytes = fs::read(place.file(MAIN)).unwrap();
    (place, bytes)
}

#[tokio::test]
async fn a_newer_database_is_refused_and_untouched() {
    let (place, bytes) = with_pragma("user_version", 4_000);
    let refused = Store::open(place.path()).await.unwrap_err();
    assert_eq!(refused.cause(), Cause::Newer);
    assert!(refused.message().contains("knows schema 4000"), "{refused}");
    assert_eq!(fs::read(place.file(MAIN)).unwrap(), bytes);
    assert_eq!(place.names(), ["backline.lock", MAIN]);
}

/// A newer process that was killed: its header stands in the log alone.
#[tokio::test]
async fn a_newer_database_whose_log_says_so_is_refused_and_untouched() {
    let place = Place::new();
    place.put(SCHEMA_1);
    let other = Place::new();
    other.put(SCHEMA_1);
    let connection = rusqlite::Connection::open(other.file(MAIN)).unwrap();
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 4000").unwrap();
    for name in [MAIN, "state.db-wal"] {
        fs::copy(other.file(name), place.file(name)).unwrap();
    }
    let before = [MAIN, "state.db-wal"].map(|name| fs::read(place.file(name)).unwrap());
    let refused = Store::open(place.path()).await.unwrap_err();
    assert_eq!(refused.cause(), Cause::Newer, "{refused}");
    assert_eq!([MAIN, "state.db-wal"].map(|name| fs::read(place.file(name)).unwrap()), before);
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_untouched() {
    let (place, bytes) = with_pragma("application_id", 77);
    let refused = Store::open(place.path()).await.unwrap_err();
    assert_eq!(refused.cause(), Cause::Foreign);
    assert_eq!(fs::read(place.file(MAIN)).unwrap(), bytes);
}
