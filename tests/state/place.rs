//! A state directory of a test, and a table in it.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use backline::state::{Serving, Store, Trouble};
use tempfile::TempDir;

pub(crate) const MAIN: &str = "state.db";

pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The state directory; not made yet.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("state")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Puts a database there.
    pub(crate) fn put(&self, bytes: &[u8]) {
        std::fs::create_dir(self.path()).unwrap();
        std::fs::set_permissions(self.path(), PermissionsExt::from_mode(0o700)).unwrap();
        std::fs::write(self.file(MAIN), bytes).unwrap();
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

pub(crate) fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Opens the store and serves it.
pub(crate) async fn open(directory: &Path) -> (Store, Serving) {
    let store = Store::open(directory).await.unwrap();
    let serving = store.serve();
    (store, serving)
}

pub(crate) async fn close(serving: Serving) {
    serving.close(Duration::from_secs(10)).await;
}

/// A table of `meta`, which every version of the schema has: a key and its value.
pub(crate) async fn put(store: &Store, key: String, value: String) -> Result<(), Trouble> {
    store
        .write("a test's value", move |t| {
            t.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", (&key, &value)).map(|_| ())
        })
        .await
}

pub(crate) async fn all(store: &Store) -> Vec<(String, String)> {
    store
        .read("a test's values", |c| {
            c.prepare("SELECT key, value FROM meta ORDER BY key")?
                .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .await
        .unwrap()
}
