//! A file on its way into the state directory: written beside, hashed, brought to the disk, then renamed to its hash.

use std::{io, path::PathBuf, sync::Arc};

use sha2::{Digest, Sha256};
use tokio::{fs::File, io::AsyncWriteExt};

use super::{Held, INPUT_CAP, Inputs, Stored};
use crate::{
    model::{Code, Fault},
    net::body::hex,
};

/// A file on its way. Dropping it leaves nothing.
pub(crate) struct Incoming {
    store: Arc<Inputs>,
    part: Part,
    file: File,
    hash: Sha256,
    bytes: u64,
}

/// A file under its name for the time being, which goes with its owner.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // One that was renamed is not there any more; one that cannot be removed the sweep finds.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Incoming {
    /// # Errors
    /// [`Code::Disk`].
    pub(crate) async fn new(store: &Arc<Inputs>) -> Result<Self, Fault> {
        let directory = store.directory.clone();
        let made = tokio::task::spawn_blocking(move || {
            prepare(&directory)?;
            let part = Part(directory.join(format!(".{}.part", uuid::Uuid::new_v4().simple())));
            let file = private().create_new(true).open(&part.0)?;
            Ok::<_, io::Error>((part, file))
        });
        let made = made.await.map_err(io::Error::other).and_then(|made| made);
        let (part, file) = made.map_err(|e| store.refuses(&e))?;
        Ok(Self { store: store.clone(), part, file: File::from_std(file), hash: Sha256::new(), bytes: 0 })
    }

    /// # Errors
    /// [`Code::TooLarge`] past [`INPUT_CAP`], [`Code::Disk`].
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.bytes += bytes.len() as u64;
        if self.bytes > INPUT_CAP {
            let text = format!("it has more than {} GiB", INPUT_CAP >> 30);
            return Err(Fault::new(Code::TooLarge, text).with_fix("Give the job a smaller file."));
        }
        self.hash.update(bytes);
        self.file.write_all(bytes).await.map_err(|e| self.store.refuses(&e))
    }

    /// Puts the file in its place, where `held` keeps it.
    ///
    /// # Errors
    /// [`Code::Disk`].
    pub(crate) async fn finish(mut self, held: &mut Held) -> Result<Stored, Fault> {
        let written = async {
            self.file.flush().await?;
            self.file.sync_all().await
        };
        written.await.map_err(|e| self.store.refuses(&e))?;
        let stored = Stored { sha256: hex(&self.hash.finalize()), bytes: self.bytes };
        held.hold(stored.clone()).await;
        let (place, directory, part) =
            (self.store.place(&stored.sha256), self.store.directory.clone(), self.part);
        // The same bytes may be there: then they are written over by themselves.
        let renamed = tokio::task::spawn_blocking(move || {
            std::fs::rename(&part.0, place)?;
            sync(&directory)
        });
        let renamed = renamed.await.map_err(io::Error::other).and_then(|renamed| renamed);
        renamed.map_err(|e| self.store.refuses(&e))?;
        Ok(stored)
    }
}

impl Inputs {
    pub(super) fn refuses(&self, error: &io::Error) -> Fault {
        let text = format!("{}: a file cannot be kept: {error}", self.directory.display());
        Fault::new(Code::Disk, text)
    }
}

#[cfg(feature = "state")]
fn prepare(directory: &std::path::Path) -> io::Result<()> {
    crate::state::directory::prepare(directory)
        .map(drop)
        .map_err(|trouble| io::Error::other(trouble.to_string()))
}

#[cfg(feature = "state")]
fn private() -> std::fs::OpenOptions {
    crate::state::directory::private()
}

#[cfg(feature = "state")]
fn sync(directory: &std::path::Path) -> io::Result<()> {
    crate::state::directory::sync(directory).map_err(|trouble| io::Error::other(trouble.to_string()))
}

// Without the state database nobody has a store of files.
#[cfg(not(feature = "state"))]
fn prepare(_: &std::path::Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(feature = "state"))]
fn private() -> std::fs::OpenOptions {
    std::fs::OpenOptions::new()
}

#[cfg(not(feature = "state"))]
fn sync(_: &std::path::Path) -> io::Result<()> {
    Ok(())
}
