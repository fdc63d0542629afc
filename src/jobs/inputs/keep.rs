//! How long files stay: as long as a job in the journal takes them, and an upload for a day.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{Held, Inputs, Stored, UPLOAD_LIFE, is_hash};
use crate::{
    jobs::journal::Journal,
    model::{Code, Fault},
};

impl Inputs {
    /// A file that was uploaded.
    pub(super) async fn uploaded(&self, sha256: &str, held: &mut Held) -> Result<Stored, Fault> {
        let gone = || {
            Fault::new(Code::BadRequest, "there is no such upload")
                .with_fix("Send the file to /api/v1/files again: an upload waits a day for a job, and goes with its last one.")
        };
        held.hold(Stored { sha256: sha256.to_owned(), bytes: 0 }).await;
        let place = self.place(sha256);
        let bytes = tokio::fs::metadata(&place).await.map_err(|_| gone())?.len();
        Ok(held.sized(sha256, bytes))
    }

    /// Removes files that no job takes any more. One that cannot be removed is tried again by the sweep.
    pub(crate) async fn remove(&self, freed: &[String], journal: &Journal) {
        for sha256 in freed.iter().filter(|name| is_hash(name)) {
            let _gate = self.pins.gate.lock().await;
            if self.pins.holds(sha256) {
                continue;
            }
            match journal.takes_input(sha256).await {
                Ok(false) => discard(&self.place(sha256)).await,
                Ok(true) => {}
                Err(trouble) => tracing::warn!(%trouble, "whether a job takes a file is not known: it stays"),
            }
        }
    }

    /// Removes uploads that no job came for, and what a copy left half done.
    pub(crate) async fn collect(&self, journal: &Journal) {
        let mut uploads = Vec::new();
        for (name, place) in old(self.directory.clone()).await {
            if is_hash(&name) { uploads.push(name) } else { discard(&place).await }
        }
        self.remove(&uploads, journal).await;
    }
}

/// The files of a directory that nobody has touched for the life of an upload.
async fn old(directory: PathBuf) -> Vec<(String, PathBuf)> {
    let listed = tokio::task::spawn_blocking(move || {
        // A directory that was never made holds nothing.
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let aged = |entry: &std::fs::DirEntry| {
            let touched = entry.metadata().and_then(|found| found.modified()).ok()?;
            SystemTime::now().duration_since(touched).ok()
        };
        let old = entries.filter(|entry| aged(entry).is_some_and(|age| age > UPLOAD_LIFE));
        old.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect()
    });
    listed.await.unwrap_or_default()
}

async fn discard(place: &Path) {
    match tokio::fs::remove_file(place).await {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            tracing::warn!(place = %place.display(), %error, "a file of no job could not be removed")
        }
    }
}
