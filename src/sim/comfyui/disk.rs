//! The folders `output`, `temp` and `input`. They outlive the boots, as files do, but for `temp`, which the server
//! empties as it starts.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

const CHECKPOINTS: &str = "models/checkpoints";

/// Folder, subfolder, name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path {
    pub(super) folder: String,
    pub(super) subfolder: String,
    pub(super) name: String,
}

/// The files that inputs offer.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) input: Vec<String>,
    pub(super) checkpoints: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Disk(Mutex<BTreeMap<Path, Bytes>>);

impl Disk {
    /// A boot begins.
    pub(super) fn boot(&self) {
        self.lock().retain(|path, _| path.folder != "temp");
    }

    pub(super) fn read(&self, path: &Path) -> Option<Bytes> {
        self.lock().get(path).cloned()
    }

    pub(super) fn write(&self, path: Path, bytes: Bytes) {
        self.lock().insert(path, bytes);
    }

    /// Saves an image under the next free number: `PREFIX_00001_.png`. A slash in the prefix makes a subfolder.
    pub(super) fn save(&self, folder: &str, prefix: &str, bytes: Bytes) -> Path {
        let (subfolder, prefix) = prefix.rsplit_once('/').unwrap_or(("", prefix));
        let mut files = self.lock();
        let taken = files.keys().filter(|p| p.folder == folder && p.subfolder == subfolder);
        let last = taken.filter_map(|p| number(&p.name, prefix)).max().unwrap_or(0);
        let name = format!("{prefix}_{:05}_.png", last + 1);
        let path = Path { folder: folder.to_owned(), subfolder: subfolder.to_owned(), name };
        files.insert(path.clone(), bytes);
        path
    }

    /// Keeps an uploaded file. The same bytes keep their name; other bytes under a taken name get a number.
    pub(super) fn keep(&self, wanted: Path, bytes: Bytes) -> Path {
        let mut files = self.lock();
        let (stem, extension) = match wanted.name.rsplit_once('.') {
            Some((stem, extension)) => (stem.to_owned(), format!(".{extension}")),
            None => (wanted.name.clone(), String::new()),
        };
        let mut path = wanted;
        let mut count = 0;
        while files.get(&path).is_some_and(|old| *old != bytes) {
            count += 1;
            path.name = format!("{stem} ({count}){extension}");
        }
        files.insert(path.clone(), bytes);
        path
    }

    /// The files that inputs offer now.
    pub(super) fn files(&self) -> Files {
        Files { input: self.names("input"), checkpoints: self.names(CHECKPOINTS) }
    }

    /// Lays a checkpoint into its folder.
    pub(super) fn add_checkpoint(&self, name: &str) {
        self.write(checkpoint(name), Bytes::new());
    }

    /// Takes a checkpoint away.
    pub(super) fn remove_checkpoint(&self, name: &str) {
        self.lock().remove(&checkpoint(name));
    }

    fn names(&self, folder: &str) -> Vec<String> {
        self.lock().keys().filter(|p| p.folder == folder).map(|p| p.name.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Path, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn checkpoint(name: &str) -> Path {
    Path { folder: CHECKPOINTS.to_owned(), subfolder: String::new(), name: name.to_owned() }
}

fn number(name: &str, prefix: &str) -> Option<u32> {
    name.strip_prefix(prefix)?.strip_prefix('_')?.strip_suffix("_.png")?.parse().ok()
}
