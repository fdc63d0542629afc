//! What needs no instance.

use crate::{binary::Place, port::free_port};

#[test]
fn without_an_instance_the_commands_that_ask_one_exit_4() {
    let place = Place::new();
    for command in [&["status"][..], &["open"], &["jobs"], &["submit", "x", "--chat", "hi", "--detach"]] {
        let ended = place.run(command);
        assert_eq!(ended.code, 4, "{command:?}: {}", ended.err);
        assert!(ended.err.contains("backline run"), "no remedy: {}", ended.err);
    }
}

#[test]
fn every_cause_is_explained_and_a_misspelt_one_is_suggested() {
    let place = Place::new();
    let all = place.run(&["--json", "explain"]).json();
    let all = all.as_array().unwrap();
    assert!(all.len() > 30);
    for page in all {
        let one = place.run(&["--json", "explain", page["code"].as_str().unwrap()]);
        assert_eq!(one.json()["fix"], page["fix"]);
    }
    let ended = place.run(&["explain", "conection_refused"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("`connection_refused`"), "{}", ended.err);
}

#[test]
fn the_first_configuration_has_no_problems_and_is_not_written_over() {
    let place = Place::new();
    assert_eq!(place.run(&["config", "init"]).code, 0);
    let checked = place.run(&["config", "check"]);
    assert_eq!(checked.code, 0, "{}", checked.out);
    assert_eq!(place.run(&["config", "init"]).code, 2);
}

#[test]
fn show_names_the_source_of_each_value() {
    let place = Place::new();
    place.write("backline.ron", r#"(backends: { "comfyui": (kind: comfyui, url: "http://127.0.0.1:1") })"#);
    let output = place
        .command(&["--json", "config", "show"])
        .env("BACKLINE_COMFYUI_URL", "http://127.0.0.1:2")
        .output()
        .unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = shown["values"].as_array().unwrap();
    let url = rows.iter().find(|r| r["path"] == "backends.comfyui.url").unwrap();
    assert_eq!(url["value"], "http://127.0.0.1:2");
    assert_eq!(url["source"], "env:BACKLINE_COMFYUI_URL");
    assert!(rows.iter().any(|r| r["source"] == "default"));
}

#[test]
fn testing_an_address_where_nobody_listens_fails_at_tcp_with_a_remedy() {
    let place = Place::new();
    let free = format!("127.0.0.1:{}", free_port());
    let ended = place.run(&["--json", "test", &free]);
    assert_eq!(ended.code, 1);
    let report = ended.json();
    let last = report["stages"].as_array().unwrap().last().unwrap();
    assert_eq!((last["stage"].as_str(), last["ok"].as_bool()), (Some("tcp"), Some(false)));
    assert!(!last["fix"].as_str().unwrap().is_empty());
}
