//! Another user of this machine cannot read the token.
#![cfg(unix)]

use std::{
    fs::Permissions,
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use crate::binary::Place;

#[test]
fn another_local_user_cannot_read_the_token() {
    let place = Place::new();
    place.write("backline.ron", "(discovery: (enabled: false))");
    let _running = place.start(&["run", "--listen", "127.0.0.1:0"]);
    let state = place.path().join("state");
    let file = state.join("instance.json");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&file)), (0o700, 0o600));
    if !nix::unistd::Uid::effective().is_root() {
        return skip("another user: only root can become one");
    }
    // Each of the two has to keep it by itself.
    std::fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
    assert!(!reads(&file), "the directory lets it be read");
    std::fs::set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
    assert!(!reads(&file), "the file lets it be read");
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    assert!(reads(&file), "the test sees nothing even where it could");
}

/// Whether the user `nobody` can read a file.
fn reads(file: &std::path::Path) -> bool {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "cat"]).arg(file);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

#[allow(clippy::print_stderr, reason = "a skip is said loudly")]
fn skip(why: &str) {
    eprintln!("SKIP: {why}");
    if let Ok(path) = std::env::var("BACKLINE_SKIPS") {
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "SKIP: {why}").unwrap();
    }
}
