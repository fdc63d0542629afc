//! Who may see the files, and who may have the directory.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
};

use backline::state::{Cause, Store};

use crate::place::{MAIN, Place, all, close, mode, open, put};

/// Run by another test under the umask 000.
#[tokio::test]
#[ignore = "a child of another test"]
async fn child_under_a_careless_umask() {
    let directory = std::env::var("BACKLINE_STATE_CHILD").unwrap();
    let (store, serving) = open(Path::new(&directory)).await;
    put(&store, "a".into(), "b".into()).await.unwrap();
    for name in [MAIN, "state.db-wal", "state.db-shm", "backline.lock"] {
        println!("mode {name} {:o}", mode(&Path::new(&directory).join(name)));
    }
    close(serving).await;
}

#[test]
fn files_are_private_under_any_umask() {
    let place = Place::new();
    let test = std::env::current_exe().unwrap();
    let child = Command::new("sh")
        .args([
            "-c",
            "umask 000; exec \"$0\" --exact --ignored --nocapture files::child_under_a_careless_umask",
        ])
        .arg(test)
        .env("BACKLINE_STATE_CHILD", place.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(child.status.success(), "{said}");
    assert_eq!(mode(&place.path()), 0o700);
    let modes: Vec<&str> = said.lines().filter(|line| line.starts_with("mode ")).collect();
    assert_eq!(modes.len(), 4, "{said}");
    assert!(modes.iter().all(|line| line.ends_with(" 600")), "{modes:?}");
}

#[tokio::test]
async fn a_second_owner_is_refused_and_told_who_the_first_is() {
    let place = Place::new();
    let (store, serving) = open(&place.path()).await;
    let refused = Store::open(place.path()).await.unwrap_err();
    assert_eq!(refused.cause(), Cause::InUse);
    assert!(refused.message().contains("this process already"), "{refused}");
    fs::write(place.file("backline.lock"), "4711\n").unwrap();
    let refused = Store::open(place.path()).await.unwrap_err();
    assert!(refused.message().ends_with("in use by process 4711"), "{refused}");
    put(&store, "a".into(), "b".into()).await.unwrap();
    close(serving).await;
    // A handle that is kept holds nothing.
    assert_eq!(put(&store, "c".into(), "d".into()).await.unwrap_err().cause(), Cause::Closed);
    let (store, _serving) = open(&place.path()).await;
    assert_eq!(all(&store).await, [("a".to_owned(), "b".to_owned())]);
}

#[tokio::test]
async fn a_directory_that_others_can_tamper_with_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    for bits in [0o770, 0o707, 0o722] {
        fs::set_permissions(place.path(), PermissionsExt::from_mode(bits)).unwrap();
        let refused = Store::open(place.path()).await.unwrap_err();
        assert_eq!(refused.cause(), Cause::Unsafe, "{bits:o}");
        assert!(refused.message().contains("written by others"), "{refused}");
    }
    assert_eq!(place.names(), [""; 0], "something was made in it");
    let planted = Place::new();
    symlink(place.path(), planted.path()).unwrap();
    let refused = Store::open(planted.path()).await.unwrap_err();
    assert!(refused.cause() == Cause::Unsafe && refused.message().contains("symbolic link"), "{refused}");
}

#[tokio::test]
async fn planted_files_are_refused() {
    for name in [MAIN, "state.db-wal", "state.db-shm", "backline.lock"] {
        let (place, victim) = (Place::new(), Place::new());
        place.put(b"");
        victim.put(b"precious");
        let _ = fs::remove_file(place.file(name));
        symlink(victim.file(MAIN), place.file(name)).unwrap();
        let refused = Store::open(place.path()).await.unwrap_err();
        assert_eq!(refused.cause(), Cause::Unsafe, "{name}: {refused}");
        assert_eq!(fs::read(victim.file(MAIN)).unwrap(), b"precious");
    }
}

#[tokio::test]
async fn somebody_elses_directory_is_refused() {
    if !rustix::process::geteuid().is_root() {
        // Only root can give a directory away; for others /root's or /'s owner is somebody else.
        let refused = Store::open("/").await.unwrap_err();
        assert_eq!(refused.cause(), Cause::Unsafe, "{refused}");
        return;
    }
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    fs::set_permissions(place.path(), PermissionsExt::from_mode(0o700)).unwrap();
    std::os::unix::fs::chown(place.path(), Some(12_345), None).unwrap();
    let refused = Store::open(place.path()).await.unwrap_err();
    assert!(refused.message().contains("belongs to user 12345"), "{refused}");
}
