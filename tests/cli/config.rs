//! `backline config check`, `show` and `trust`: what a person sees of the layers.

use crate::binary::{Ended, Place};

const KEYED: &str = r#"(version: 1, backends: {
    "llm": (kind: openai, url: "https://far.invalid", api_key: "env:FAR_KEY"),
})"#;

fn with(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = place.command(arguments);
    Ended::new(command.envs(variables.iter().copied()).output().unwrap())
}

/// Every field of a document's rows, by path.
fn row(shown: &serde_json::Value, path: &str) -> serde_json::Value {
    shown["values"].as_array().unwrap().iter().find(|row| row["path"] == path).unwrap().clone()
}

#[test]
fn every_value_has_a_source_and_an_override_names_what_it_wins_over() {
    let place = Place::new();
    place.write(
        "backline.ron",
        "(backends: {\n  \"comfyui\": (kind: comfyui, url: \"http://127.0.0.1:1\"),\n})",
    );
    let variables =
        [("BACKLINE_COMFYUI_URL", "http://127.0.0.1:2"), ("BACKLINE_COMFYUI_API_KEY", "sk-canary")];
    let shown = with(&place, &["config", "show", "--json"], &variables);
    assert!(!shown.out.contains("canary"), "{}", shown.out);
    let shown = shown.json();
    for row in shown["values"].as_array().unwrap() {
        let source = row["source"].as_str().unwrap();
        let known = source == "default" || source.starts_with("file:") || source.starts_with("env:");
        assert!(known, "{row}");
    }
    let url = row(&shown, "backends.comfyui.url");
    assert_eq!(url["value"], "http://127.0.0.1:2");
    assert_eq!(url["source"], "env:BACKLINE_COMFYUI_URL");
    assert!(url["masks"].as_str().unwrap().ends_with("backline.ron"), "{url}");
    assert_eq!(row(&shown, "backends.comfyui.kind")["line"], 2);
    assert_eq!(row(&shown, "backends.comfyui.api_key")["value"], "env:BACKLINE_COMFYUI_API_KEY");
    let text = with(&place, &["config", "show"], &variables).out;
    let line = text.lines().find(|line| line.starts_with("backends.comfyui.url ")).unwrap();
    assert!(line.contains("env:BACKLINE_COMFYUI_URL, over file:"), "{line}");
}

#[test]
fn ten_errors_are_ten_lines_with_ten_places() {
    let place = Place::new();
    let bad: Vec<_> = (0..10).map(|n| format!(r#""b{n}": (kind: comfyui, url: "ftp://host{n}")"#)).collect();
    place.write("backline.ron", &format!("(version: 1, backends: {{\n{}\n}})", bad.join(",\n")));
    let ended = place.run(&["config", "check"]);
    assert_eq!(ended.code, 2);
    let lines: Vec<_> = ended.out.lines().collect();
    assert_eq!(lines.len(), 10, "{}", ended.out);
    for (n, line) in lines.iter().enumerate() {
        let place = format!("backline.ron:{}:", n + 2);
        assert!(line.contains(&place) && line.contains(&format!("backends.b{n}.url")), "{line}");
        assert!(line.contains("Write "), "no remedy: {line}");
    }
    let document = place.run(&["config", "check", "--json"]);
    assert_eq!(document.code, 2);
    let problems = document.json()["problems"].as_array().unwrap().clone();
    assert_eq!(problems.len(), 10);
    for problem in &problems {
        for field in ["path", "message", "fix"] {
            assert!(!problem[field].as_str().unwrap().is_empty(), "{problem}");
        }
    }
    assert_eq!(place.run(&["config", "show"]).err.lines().count(), 10);
}

#[test]
fn a_file_of_the_previous_version_works_and_says_how_to_bring_it_up() {
    let old = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/config/version-0.ron");
    let place = Place::new();
    let ended = place.run(&["--config", old, "config", "show", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(row(&ended.json(), "backends.comfyui.url")["value"], "http://127.0.0.1:8188");
    assert_eq!(ended.err.lines().filter(|line| line.contains("warning: ")).count(), 3, "{}", ended.err);
    assert!(ended.err.contains("`backline config export` writes version 1"), "{}", ended.err);
    // The remedy is true.
    assert_eq!(place.run(&["--config", old, "config", "export", "new.ron"]).code, 0);
    let again = place.run(&["--config", "new.ron", "config", "show", "--json"]);
    assert_eq!((again.code, again.err.as_str()), (0, ""));
    assert_eq!(row(&again.json(), "backends.comfyui.timeouts.request")["value"], "10s");
}

#[test]
fn a_file_of_a_newer_version_is_refused_with_the_version_that_it_needs() {
    let newer = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/config/newer.ron");
    let place = Place::new();
    for arguments in [&["config", "show"][..], &["run"], &["config", "export", "out.ron"]] {
        let ended = place.run(&[&["--config", newer], arguments].concat());
        assert_eq!(ended.code, 2);
        assert!(ended.err.contains("newer.ron:3:14") && ended.err.contains("version 2"), "{}", ended.err);
    }
    assert!(!place.path().join("out.ron").exists());
}

#[test]
fn a_file_that_nobody_named_sends_no_key_until_it_is_trusted_and_asks_anew_when_it_changed() {
    let place = Place::new();
    place.write("backline.ron", KEYED);
    let warned = || {
        let checked = with(&place, &["config", "check", "--json"], &[("FAR_KEY", "k")]).json();
        assert_eq!(checked["problems"], serde_json::json!([]));
        checked["warnings"].as_array().unwrap().iter().any(|w| w["fix"].as_str().unwrap().contains("trust"))
    };
    assert!(warned());
    let trusted = place.run(&["config", "trust", "--json"]);
    assert_eq!(trusted.code, 0, "{}", trusted.err);
    let file = place.path().canonicalize().unwrap().join("backline.ron");
    assert_eq!(trusted.json()["file"].as_str(), file.to_str());
    assert!(!warned(), "it is trusted and still warned of");
    // The key goes out now: the way to the backend is tried, not refused.
    let tested = with(&place, &["test", "llm", "--json"], &[("FAR_KEY", "k")]);
    assert_eq!(tested.json()["stages"][0]["stage"], "dns", "{}", tested.out);
    place.write("backline.ron", &KEYED.replace("far.invalid", "elsewhere.invalid"));
    assert!(warned(), "what it says now was never trusted");
    assert_eq!(place.run(&["config", "trust"]).code, 0);
    assert!(!warned());
    assert_eq!(place.run(&["config", "trust", "--forget"]).code, 0);
    assert!(warned(), "the trust was taken back");
}

#[cfg(unix)]
#[test]
fn the_list_of_trusted_files_is_the_users_alone_and_a_broken_one_trusts_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.write("backline.ron", KEYED);
    assert_eq!(place.run(&["config", "trust"]).code, 0);
    let list = place.path().join(".config/backline/trusted");
    assert_eq!(list.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(&list, b"\xff").unwrap();
    let ended = with(&place, &["config", "check"], &[("FAR_KEY", "k")]);
    assert!(ended.err.contains("no file is trusted"), "{}", ended.err);
    assert!(ended.out.contains("backline config trust"), "{}", ended.out);
    let refused = place.run(&["config", "trust"]);
    assert_eq!(refused.code, 2, "a list that cannot be read is not written over");
    assert!(refused.err.contains("trusted") && refused.err.contains("fix: "), "{}", refused.err);
}

#[test]
fn without_a_file_there_is_nothing_to_trust() {
    let ended = Place::new().run(&["config", "trust"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("no configuration file") && ended.err.contains("fix: "), "{}", ended.err);
}

#[test]
fn every_subcommand_has_an_example() {
    let place = Place::new();
    for command in
        ["init", "check", "show", "import", "export", "presets", "presets save", "presets use", "trust"]
    {
        let words: Vec<_> = ["config"].into_iter().chain(command.split(' ')).chain(["--help"]).collect();
        let ended = place.run(&words);
        let example = ended.out.lines().find(|l| l.contains("backline") && l.contains(" config ")).is_some();
        assert!(ended.code == 0 && ended.out.contains("Example") && example, "{command}: {}", ended.out);
    }
}
