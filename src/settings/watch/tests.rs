//! The ways in which programs write files, with real files in real time.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

use super::*;

/// Longest wait for a change to be seen.
const LIMIT: Duration = Duration::from_secs(10);
/// A wait in which everything that was to come has come.
const REST: Duration = Duration::from_millis(600);

struct Seen {
    changes: mpsc::Receiver<()>,
    sought: watch::Sender<Vec<PathBuf>>,
    _task: Task,
}

impl Seen {
    /// Watches these files, and waits until the first look is over.
    async fn over(files: &[&Path]) -> Self {
        let (sender, changes) = mpsc::channel(64);
        let sought = watch::Sender::new(files.iter().map(|file| file.to_path_buf()).collect());
        let task = start(sought.subscribe(), move || {
            let _ = sender.try_send(());
        });
        let mut seen = Self { changes, sought, _task: task };
        seen.once().await;
        seen
    }

    async fn once(&mut self) {
        let seen = tokio::time::timeout(LIMIT, self.changes.recv()).await;
        assert_eq!(seen, Ok(Some(())), "the change was not seen");
    }

    async fn nothing(&mut self) {
        let seen = tokio::time::timeout(REST, self.changes.recv()).await;
        assert!(seen.is_err(), "seen, though nothing changed");
    }
}

fn place(text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("backline.ron");
    fs::write(&file, text).unwrap();
    (directory, file)
}

#[tokio::test]
async fn truncated_and_written() {
    let (_directory, file) = place("1");
    let mut seen = Seen::over(&[&file]).await;
    for text in ["2", "3"] {
        fs::write(&file, text).unwrap();
        seen.once().await;
    }
    seen.nothing().await;
}

#[tokio::test]
async fn renamed_over_again_and_again() {
    let (directory, file) = place("1");
    let mut seen = Seen::over(&[&file]).await;
    for text in ["2", "3", "4"] {
        let next = directory.path().join(".backline.ron.tmp");
        fs::write(&next, text).unwrap();
        fs::rename(&next, &file).unwrap();
        seen.once().await;
    }
    seen.nothing().await;
}

/// vim: the swap file beside it all the time, the old text moved to a backup, the new one written under the name.
#[tokio::test]
async fn moved_to_a_backup_and_written_anew() {
    let (directory, file) = place("1");
    let swap = directory.path().join(".backline.ron.swp");
    let mut seen = Seen::over(&[&file]).await;
    fs::write(&swap, "swap").unwrap();
    seen.nothing().await;
    fs::rename(&file, directory.path().join("backline.ron~")).unwrap();
    fs::write(&file, "2").unwrap();
    fs::remove_file(&swap).unwrap();
    seen.once().await;
    seen.nothing().await;
}

#[tokio::test]
async fn deleted_and_created_again() {
    let (_directory, file) = place("1");
    let mut seen = Seen::over(&[&file]).await;
    fs::remove_file(&file).unwrap();
    seen.once().await;
    fs::write(&file, "2").unwrap();
    seen.once().await;
}

#[tokio::test]
async fn created_where_there_was_none() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("below").join("backline.ron");
    let mut seen = Seen::over(&[&file]).await;
    fs::create_dir(directory.path().join("below")).unwrap();
    // The directory has to be seen before what comes in it.
    tokio::time::sleep(REST).await;
    fs::write(&file, "1").unwrap();
    seen.once().await;
}

#[tokio::test]
async fn written_with_the_same_text() {
    let (directory, file) = place("1");
    let mut seen = Seen::over(&[&file]).await;
    fs::write(&file, "1").unwrap();
    fs::write(directory.path().join("another"), "2").unwrap();
    fs::read(&file).unwrap();
    seen.nothing().await;
}

/// How a mounted ConfigMap changes: the name is a link through `..data`, which is turned to another directory.
#[cfg(unix)]
#[tokio::test]
async fn a_link_turned_to_another_directory() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    for (name, text) in [("one", "1"), ("two", "2")] {
        fs::create_dir(at(name)).unwrap();
        fs::write(at(name).join("backline.ron"), text).unwrap();
    }
    symlink("one", at("..data")).unwrap();
    symlink("..data/backline.ron", at("backline.ron")).unwrap();
    let file = at("backline.ron");
    let mut seen = Seen::over(&[&file]).await;
    symlink("two", at("..data_tmp")).unwrap();
    fs::rename(at("..data_tmp"), at("..data")).unwrap();
    seen.once().await;
    // The file behind the link is written in place.
    fs::write(at("two").join("backline.ron"), "3").unwrap();
    seen.once().await;
}

#[tokio::test]
async fn every_file_of_the_chain_and_those_that_come_to_it() {
    let ((_one, base), (_two, file)) = (place("base"), place("file"));
    let mut seen = Seen::over(&[&file]).await;
    fs::write(&base, "2").unwrap();
    seen.nothing().await;
    seen.sought.send_replace(vec![file.clone(), base.clone()]);
    seen.once().await;
    fs::write(&base, "3").unwrap();
    seen.once().await;
}

#[tokio::test]
async fn a_busy_neighbour_does_not_hold_it_up() {
    let (directory, file) = place("1");
    let mut seen = Seen::over(&[&file]).await;
    let log = directory.path().join("log");
    let noise = Task::spawn(async move {
        for line in 0..u64::MAX {
            fs::write(&log, line.to_string()).unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    fs::write(&file, "2").unwrap();
    seen.once().await;
    drop(noise);
}

#[tokio::test(start_paused = true)]
async fn without_a_watch_it_is_looked_at() {
    let (_directory, file) = place("1");
    let (sender, _stirred) = mpsc::channel(1);
    let mut eye = Eye::open(sender);
    assert_eq!(eye.pause(), SAFETY);
    eye.admit(&notify::Error::generic("no watches are left"));
    assert_eq!(eye.pause(), POLL);
    eye.turn_to(&[file]);
    assert_eq!(eye.pause(), POLL, "it stays with that");
}
