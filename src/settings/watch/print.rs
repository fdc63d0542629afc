//! What some files hold, as digests.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// Read of one file at most; the rest shows in its length.
const CAP: u64 = 2 * 1024 * 1024;

/// What some files hold, as digests; `None` where one cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Print(Vec<(PathBuf, Option<[u8; 32]>)>);

impl Print {
    /// Reads them, off the runtime's threads.
    pub(super) async fn take(files: &[PathBuf]) -> Self {
        let files = files.to_vec();
        let read = move || {
            let mut prints: Vec<_> = files.into_iter().map(|file| (digest(&file), file)).collect();
            prints.sort_by(|one, other| one.1.cmp(&other.1));
            prints.dedup();
            Self(prints.into_iter().map(|(digest, file)| (file, digest)).collect())
        };
        tokio::task::spawn_blocking(read).await.unwrap_or_default()
    }

    /// Forgets files that do not count any more. One that is new has no digest yet, and is looked at next.
    pub(super) fn keep_to(&mut self, files: &[PathBuf]) {
        self.0.retain(|(file, _)| files.contains(file));
    }
}

fn digest(file: &Path) -> Option<[u8; 32]> {
    // Opening a pipe would wait for its writer.
    let length = std::fs::metadata(file).ok().filter(|m| m.is_file())?.len();
    let opened = std::fs::File::open(file).ok()?;
    let mut bytes = Vec::new();
    opened.take(CAP).read_to_end(&mut bytes).ok()?;
    let mut hash = Sha256::new();
    hash.update(length.to_le_bytes());
    hash.update(&bytes);
    Some(hash.finalize().into())
}
