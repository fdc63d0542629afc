//! Damaged databases: set aside, salvaged, the loss named.

use std::{fs, path::Path};

use backline::state::{Condition, Salvaged};

use crate::place::{MAIN, Place, all, close, mode, open, put};

const ROWS: usize = 2_000;

/// A database of many pages.
async fn many(place: &Place) {
    let (store, serving) = open(&place.path()).await;
    store
        .write("many rows", |t| {
            let mut insert = t.prepare("INSERT INTO meta VALUES (?1, ?2)")?;
            (0..ROWS).try_for_each(|n| insert.execute((format!("{n:05}"), "x".repeat(200))).map(|_| ()))
        })
        .await
        .unwrap();
    close(serving).await;
}

fn overwrite(path: &Path, page: usize, pages: usize) {
    let mut bytes = fs::read(path).unwrap();
    let size = 4_096;
    assert!(bytes.len() > (page + pages) * size, "the database has only {} bytes", bytes.len());
    bytes[page * size..(page + pages) * size].fill(0xa5);
    fs::write(path, bytes).unwrap();
}

async fn salvaged(place: &Place) -> (Salvaged, Vec<(String, String)>) {
    let (store, serving) = open(&place.path()).await;
    let Condition::Open { opening } = store.watch().borrow().clone() else { panic!("{store:?}") };
    let rows = all(&store).await;
    put(&store, "after".into(), "it works".into()).await.unwrap();
    close(serving).await;
    (opening.salvaged.clone().expect("damage was seen"), rows)
}

#[tokio::test]
async fn a_damaged_page_costs_its_rows_and_no_others() {
    let place = Place::new();
    many(&place).await;
    let whole = fs::read(place.file(MAIN)).unwrap();
    overwrite(&place.file(MAIN), 60, 1);
    let damaged = fs::read(place.file(MAIN)).unwrap();
    let (salvaged, rows) = salvaged(&place).await;
    let meta = salvaged.tables.iter().find(|t| t.table == "meta").unwrap();
    assert_eq!(meta.kept as usize, rows.len());
    assert!(rows.len() > ROWS - 100 && rows.len() < ROWS, "{} rows were saved", rows.len());
    assert!(!salvaged.damage.is_empty());
    assert!(
        damaged != whole && fs::read(&salvaged.aside).unwrap() == damaged,
        "the copy is not what was damaged"
    );
    assert_eq!(mode(&salvaged.aside), 0o600);
    let (store, _serving) = open(&place.path()).await;
    let Condition::Open { opening } = store.watch().borrow().clone() else { panic!() };
    assert_eq!(opening.salvaged, None, "it is sound now");
}

#[tokio::test]
async fn what_is_no_database_is_set_aside() {
    let place = Place::new();
    place.put(&[7; 5_000]);
    let (salvaged, rows) = salvaged(&place).await;
    assert_eq!(rows, []);
    assert_eq!(fs::read(&salvaged.aside).unwrap(), [7; 5_000]);
    assert!(salvaged.tables.iter().all(|t| t.kept == 0 && t.lost.is_none()));
}

#[tokio::test]
async fn a_database_cut_in_half_gives_its_first_half() {
    let place = Place::new();
    many(&place).await;
    let bytes = fs::read(place.file(MAIN)).unwrap();
    fs::write(place.file(MAIN), &bytes[..bytes.len() / 2]).unwrap();
    let (_, rows) = salvaged(&place).await;
    assert!(rows.len() > ROWS / 4 && rows.len() < ROWS, "{} rows were saved", rows.len());
}

/// A process that died between the two renames: the next one goes on where it stood.
#[tokio::test]
async fn a_salvage_that_was_interrupted_is_finished() {
    let (place, fresh) = (Place::new(), Place::new());
    many(&fresh).await;
    place.put(&[7; 5_000]);
    fs::write(place.file("state.db-wal"), [7; 100]).unwrap();
    fs::copy(fresh.file(MAIN), place.file("state.db.salvaged")).unwrap();
    let (store, serving) = open(&place.path()).await;
    assert_eq!(all(&store).await.len(), ROWS);
    close(serving).await;
    assert_eq!(place.names(), ["backline.lock", MAIN]);
}
