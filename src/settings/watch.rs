//! Sees that a file changed: the one that counts, those that it extends, and one that does not exist yet.
//!
//! Directories are watched, not files: an editor that renames over a file, or deletes it and writes it again, leaves a
//! watched file behind. What happened is not asked for: the contents decide, so that nothing is read anew for nothing.
//! Where the system gives no watch, or gives one that stays silent (network file systems), looking from time to time
//! takes its place.

mod debounce;
mod print;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use self::{debounce::Debounce, print::Print};
use crate::connection::alarm::Task;

/// Between looks where the system tells nothing.
const POLL: Duration = Duration::from_secs(2);
/// Between looks where it does: a network file system may stay silent.
const SAFETY: Duration = Duration::from_secs(30);

/// Watches the files that the cell names, and says when their contents changed. Ends when dropped.
pub(crate) fn start(sought: watch::Receiver<Vec<PathBuf>>, changed: impl Fn() + Send + 'static) -> Task {
    Task::spawn(follow(sought, changed))
}

async fn follow(mut sought: watch::Receiver<Vec<PathBuf>>, changed: impl Fn()) {
    // One place is enough: what matters is that something happened.
    let (sender, mut stirred) = mpsc::channel(1);
    let mut eye = Eye::open(sender);
    let mut debounce = Debounce::default();
    let mut files = sought.borrow_and_update().clone();
    eye.turn_to(&files);
    // Nothing is taken for known: a file may have changed since it was loaded.
    let mut seen = Print::default();
    debounce.heard(Instant::now());
    let mut look = Instant::now() + eye.pause();
    loop {
        let due = debounce.due().map_or(look, |due| due.min(look));
        tokio::select! {
            moved = sought.changed() => {
                if moved.is_err() {
                    return;
                }
                files = sought.borrow_and_update().clone();
                eye.turn_to(&files);
                // Between the load that named these files and now one of them may have changed.
                debounce.heard(Instant::now());
                seen.keep_to(&files);
            }
            Some(()) = stirred.recv() => debounce.heard(Instant::now()),
            () = tokio::time::sleep_until(due) => {
                let now = Instant::now();
                debounce.rest();
                look = now + eye.pause();
                // A directory may have come or gone, and with it what can be watched.
                eye.turn_to(&files);
                let print = Print::take(&files).await;
                if print != seen {
                    seen = print;
                    changed();
                }
            }
        }
    }
}

/// The system's watch over directories, as far as it gives one.
struct Eye {
    watcher: Option<RecommendedWatcher>,
    on: BTreeSet<PathBuf>,
    blind: Blindness,
}

/// Whether it has been said that looking takes the place of watching.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blindness {
    None,
    Said,
}

impl Eye {
    fn open(stirred: mpsc::Sender<()>) -> Self {
        let heard = move |event: notify::Result<notify::Event>| {
            // Reading a file is an event too, and we read them ourselves.
            if !matches!(event, Ok(notify::Event { kind: EventKind::Access(_), .. })) {
                // A full queue holds one that says the same.
                let _ = stirred.try_send(());
            }
        };
        let mut eye = Self { watcher: None, on: BTreeSet::new(), blind: Blindness::None };
        match notify::recommended_watcher(heard) {
            Ok(watcher) => eye.watcher = Some(watcher),
            Err(error) => eye.admit(&error),
        }
        eye
    }

    /// Watches the directories of these files, and of what they link to.
    fn turn_to(&mut self, files: &[PathBuf]) {
        let wanted: BTreeSet<PathBuf> = files.iter().flat_map(|file| directories(file)).collect();
        let Some(mut watcher) = self.watcher.take() else { return };
        for gone in self.on.difference(&wanted) {
            // One that was deleted is not watched any more.
            let _ = watcher.unwatch(gone);
        }
        self.on.retain(|directory| wanted.contains(directory) && directory.is_dir());
        for directory in wanted {
            if self.on.contains(&directory) {
                continue;
            }
            match watcher.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.on.insert(directory);
                }
                Err(error) => self.admit(&error),
            }
        }
        self.watcher = Some(watcher);
    }

    fn pause(&self) -> Duration {
        match self.blind {
            Blindness::None => SAFETY,
            Blindness::Said => POLL,
        }
    }

    fn admit(&mut self, error: &notify::Error) {
        if self.blind == Blindness::None {
            tracing::warn!(%error, "files cannot be watched; they are looked at every {POLL:?}");
            self.blind = Blindness::Said;
        }
    }
}

/// The directories in which something happens when a file changes: its own, and those that its links lead through.
/// Where one does not exist, the nearest above it: its coming is seen there.
fn directories(file: &Path) -> Vec<PathBuf> {
    /// More links than this are a circle.
    const LINKS: usize = 8;
    let (mut found, mut at) = (Vec::new(), file.to_owned());
    for _ in 0..LINKS {
        let parent = at.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        found.extend(parent.ancestors().find(|directory| directory.is_dir()).map(Path::to_owned));
        match std::fs::read_link(&at) {
            Ok(target) => at = parent.join(target),
            Err(_) => break,
        }
    }
    // A directory on the way may be a link itself, and be turned to another.
    found.extend(file.canonicalize().ok().and_then(|real| real.parent().map(Path::to_owned)));
    found
}
