//! Bad input: a one-line cause with its place, a remedy, exit 2, and nothing started.

use crate::binary::{Ended, Place};

const GOOD: &str = r#"(version: 1, backends: { "comfyui": (kind: comfyui, url: "http://127.0.0.1:9") })"#;

#[track_caller]
fn refused(ended: &Ended, place: &str, cause: &str) {
    assert_eq!(ended.code, 2, "{}", ended.err);
    let line =
        ended.err.lines().find(|l| l.contains(cause)).unwrap_or_else(|| panic!("no cause: {}", ended.err));
    assert!(line.contains(place), "the place `{place}` is missing: {line}");
    assert!(!ended.err.contains("dashboard:"), "something was started: {}", ended.err);
}

#[test]
fn an_unknown_field_is_named_with_its_place_and_a_suggestion() {
    let place = Place::new();
    place.write("backline.ron", &GOOD.replace("url:", "ulr:"));
    let ended = place.run(&["run"]);
    refused(&ended, "backline.ron:1:", "ulr");
    assert!(ended.err.contains("url"), "no suggestion: {}", ended.err);
}

#[test]
fn a_bad_url_is_named_with_its_place() {
    let place = Place::new();
    place.write("backline.ron", &GOOD.replace("http://127.0.0.1:9", "ftp://127.0.0.1:9"));
    refused(&place.run(&["run"]), "backends.comfyui.url", "ftp");
}

#[test]
fn a_missing_file_is_named() {
    refused(&Place::new().run(&["--config", "nowhere.ron", "run"]), "nowhere.ron", "nowhere.ron");
}

#[test]
fn a_missing_key_is_named_with_its_variable() {
    let place = Place::new();
    let text =
        r#"(backends: { "llm": (kind: litellm, url: "http://127.0.0.1:9", api_key: "env:NO_SUCH_KEY") })"#;
    place.write("backline.ron", text);
    refused(&place.run(&["run"]), "backends.llm.api_key", "NO_SUCH_KEY");
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_published() {
    let place = Place::new();
    place.write("backline.ron", GOOD);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(&place.run(&["run", "--listen", &address]), &address, "cannot be listened on");
    assert!(!place.path().join("state/instance.json").exists());
}

#[test]
fn off_loopback_a_token_has_to_be_chosen() {
    let place = Place::new();
    place.write("backline.ron", GOOD);
    refused(&place.run(&["run", "--listen", "0.0.0.0:0"]), "0.0.0.0:0", "no token is set");
}

/// A file alone opens nothing to other machines, whatever token it names.
#[test]
fn off_loopback_the_command_has_to_say_so() {
    let place = Place::new();
    let http = r#", http: (listen: "0.0.0.0:0", token: "a-token-of-sixteen-letters"))"#;
    place.write(
        "backline.ron",
        &GOOD.trim_end().strip_suffix(')').map(|text| format!("{text}{http}")).unwrap(),
    );
    let ended = place.run(&["run"]);
    refused(&ended, "http.listen", "other machines can reach");
    assert!(ended.err.contains("backline run --listen 0.0.0.0:0"), "{}", ended.err);
    assert!(!place.path().join("state/instance.json").exists());
}

#[test]
fn ten_errors_are_ten_lines() {
    let place = Place::new();
    let bad: Vec<_> = (0..10).map(|n| format!(r#""b{n}": (kind: comfyui, url: "ftp://host{n}")"#)).collect();
    place.write("backline.ron", &format!("(version: 1, backends: {{ {} }})", bad.join(",\n")));
    let ended = place.run(&["config", "check", "--json"]);
    assert_eq!(ended.code, 2);
    assert_eq!(ended.json()["problems"].as_array().unwrap().len(), 10, "{}", ended.out);
    assert_eq!(place.run(&["run"]).err.lines().filter(|l| l.starts_with("backline: ")).count(), 10);
}

#[test]
fn an_unknown_target_lists_what_there_is() {
    let place = Place::new();
    place.write("backline.ron", GOOD);
    refused(&place.run(&["submit", "comfy", "--chat", "x"]), "comfyui", "there is no backend `comfy`");
    refused(&place.run(&["test", "nobody"]), "comfyui", "neither a configured backend nor an address");
}

#[test]
fn a_workflow_that_is_none_is_refused_before_anything_starts() {
    let place = Place::new();
    place.write("backline.ron", GOOD);
    refused(&place.run(&["submit", "comfyui", "--workflow", "no.json"]), "no.json", "no.json");
    place.write(
        "editor.json",
        r#"{"last_node_id":1,"nodes":[{"id":1,"type":"SaveImage"}],"links":[],"version":0.4}"#,
    );
    refused(&place.run(&["submit", "comfyui", "--workflow", "editor.json"]), "editor.json", "editor");
    place.write("flow.json", r#"{"3":{"class_type":"KSampler","inputs":{"seed":1}}}"#);
    let ended = place.run(&["submit", "comfyui", "--workflow", "flow.json", "--set", "3.sed=7"]);
    refused(&ended, "3.sed=7", "seed");
}

#[test]
fn bad_usage_exits_2_and_an_error_is_a_document_too() {
    let place = Place::new();
    assert_eq!(place.run(&["nonsense"]).code, 2);
    assert_eq!(place.run(&["submit", "x"]).code, 2);
    let ended = place.run(&["--json", "--config", "nowhere.ron", "run"]);
    assert!(ended.json()["error"]["message"].as_str().unwrap().contains("nowhere.ron"));
}
