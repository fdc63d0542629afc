//! A reader that goes away, as `backline config show | head -1` does: no panic, no complaint, the exit code it had.

use std::process::{Output, Stdio};

use crate::{binary::Place, port::free_port};

/// The command with an output that nobody reads any more, before its first byte.
fn unread(place: &Place, arguments: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    place.command(arguments).stdin(Stdio::null()).stdout(writer).output().unwrap()
}

#[test]
fn a_document_that_nobody_reads_ends_as_if_it_was_read() {
    let place = Place::new();
    assert_eq!(place.run(&["config", "init"]).code, 0);
    for arguments in [
        &["config", "show"][..],
        &["config", "check"],
        &["config", "presets"],
        &["config", "presets", "two-gpus"],
        &["config", "show", "--json"],
        &["explain"],
        &["explain", "connection_refused"],
        &["explain", "--json"],
        &["--help"],
    ] {
        let ended = unread(&place, arguments);
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {said}");
        assert_eq!(said, "", "{arguments:?}");
    }
    let free = format!("127.0.0.1:{}", free_port());
    assert_eq!(unread(&place, &["test", &free]).status.code(), Some(1), "the outcome is lost");
}

#[test]
fn complaints_that_nobody_reads_panic_nothing_either() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let place = Place::new();
    let ended =
        place.command(&["--config", "nowhere.ron", "config", "show"]).stderr(writer).status().unwrap();
    assert_eq!(ended.code(), Some(2), "a panic would be 101");
}

/// A full disk is another matter: the document is lost, and a script has to see it.
#[test]
#[cfg(target_os = "linux")]
fn a_document_that_cannot_be_written_is_a_failure() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended = Place::new().command(&["explain", "--json"]).stdout(full).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("standard output cannot be written"), "{said}");
}
