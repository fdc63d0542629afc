//! `backline config init`, `import`, `export` and `presets`: files that come and go, all or nothing.

use std::path::{Path, PathBuf};

use crate::binary::{Ended, Place};

const OLD: &str = r#"// mine
(version: 1, backends: { "comfyui": (kind: comfyui, url: "http://127.0.0.1:1") }, log: (files: 5))"#;
const NEW: &str = r#"// theirs
(version: 1, backends: { "comfyui": (kind: comfyui, url: "http://127.0.0.1:2"), "app": (kind: gradio, url: "http://127.0.0.1:3") })"#;

impl Place {
    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Every file below the directory, so that a leftover shows.
    fn files(&self) -> Vec<String> {
        fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(self.path(), &mut found);
        let name = |p: &PathBuf| p.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned();
        let mut names: Vec<_> = found.iter().map(name).collect();
        names.sort();
        names
    }
}

#[track_caller]
fn refused(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.code, 2, "{} {}", ended.out, ended.err);
    for word in words {
        assert!(ended.err.contains(word), "`{word}` is missing: {}", ended.err);
    }
}

#[test]
fn an_import_shows_what_changes_and_keeps_what_was_there() {
    let place = Place::new();
    place.write("backline.ron", OLD);
    place.write("profile.ron", NEW);
    let dry = place.run(&["config", "import", "profile.ron", "--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.err);
    assert_eq!((place.read("backline.ron").as_str(), place.files().len()), (OLD, 2));
    let done = place.run(&["config", "import", "profile.ron"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(dry.out, done.out, "the rehearsal showed something else");
    for line in [
        r#"~ backends.comfyui.url: "http://127.0.0.1:1" -> "http://127.0.0.1:2""#,
        r#"+ backends.app.kind: "gradio""#,
        "~ log.files: 5 -> 3",
    ] {
        assert!(done.out.lines().any(|l| l == line), "`{line}` is missing: {}", done.out);
    }
    assert!(!done.out.contains("comfyui.kind"), "what stays is no change: {}", done.out);
    assert_eq!(place.read("backline.ron"), NEW, "comments go along");
    assert_eq!(place.read("backline.ron.bak"), OLD);
    assert_eq!(place.files(), ["backline.ron", "backline.ron.bak", "profile.ron"]);
    // Back again: the copy is a profile as any, and the second copy does not replace the first.
    let back = place.run(&["config", "import", "backline.ron.bak", "--json"]).json();
    assert_eq!(back["written"], true);
    assert!(back["backup"].as_str().unwrap().ends_with("backline.ron.bak.1"), "{back}");
    assert!(
        back["changes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["path"] == "backends.app.url" && c["new"].is_null())
    );
    assert_eq!((place.read("backline.ron").as_str(), place.read("backline.ron.bak.1").as_str()), (OLD, NEW));
}

#[test]
fn an_import_that_has_problems_tells_all_of_them_and_changes_nothing() {
    let place = Place::new();
    place.write("backline.ron", OLD);
    place.write("profile.ron", r#"(backends: { "a": (kind: comfy, url: "ftp://x"), "b": (kind: openai, url: "http://127.0.0.1:1", api_key: "env:NOT_SET") })"#);
    let ended = place.run(&["config", "import", "profile.ron"]);
    refused(&ended, &["profile.ron:1:", "backends.a.kind", "backends.a.url", "NOT_SET"]);
    assert_eq!(ended.err.lines().count(), 3, "{}", ended.err);
    refused(&place.run(&["config", "import", "nowhere.ron"]), &["nowhere.ron", "does not exist"]);
    refused(&place.run(&["config", "import", "backline.ron"]), &["is the configuration already"]);
    assert_eq!((place.read("backline.ron").as_str(), place.files().len()), (OLD, 2));
}

#[test]
fn an_import_refuses_every_secret_that_is_written_out() {
    let place = Place::new();
    place.write(
        "profile.ron",
        r#"(backends: {
    "llm": (kind: openai, url: "http://10.0.0.7:1", api_key: "sk-canary", proxy: "http://me:sk-canary@127.0.0.1:9"),
    "app": (kind: gradio, url: "http://127.0.0.1:2", login: (user: "me", password: "sk-canary")),
}, http: (token: "sk-canary-canary-canary"))"#,
    );
    let ended = place.run(&["config", "import", "profile.ron"]);
    refused(
        &ended,
        &[
            "profile.ron:2:",
            "backends.llm.api_key",
            "backends.llm.proxy",
            "login.password",
            "http.token",
            "env:NAME",
        ],
    );
    assert!(!ended.err.contains("canary"), "{}", ended.err);
    // Beside the four, that the key would cross the network in the clear: every problem at once.
    assert_eq!(ended.err.lines().count(), 5, "{}", ended.err);
    assert_eq!(place.files(), ["profile.ron"]);
}

#[test]
fn an_import_goes_where_the_configuration_is_read_from() {
    let place = Place::new();
    place.write("profile.ron", NEW);
    // Nothing is there: the user's own file, which every directory sees, with what it extends resolved.
    place.write("derived.ron", r#"(extends: "profile.ron", log: (files: 9))"#);
    let ended = place.run(&["config", "import", "derived.ron"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("written anew"), "{}", ended.err);
    let shown = place.run(&["config", "show"]).out;
    assert!(shown.contains(".config") && shown.contains("http://127.0.0.1:3"), "{shown}");
    // A named one, and one of the environment, which is no part of what is written.
    let mut named = place.command(&["--config", "named.ron", "config", "import", "profile.ron"]);
    assert!(named.env("BACKLINE_APP_URL", "http://127.0.0.1:7").status().unwrap().success());
    assert_eq!(place.read("named.ron"), NEW);
    let mut by_variable = place.command(&["config", "import", "named.ron"]);
    assert!(by_variable.env("BACKLINE_CONFIG", "other.ron").status().unwrap().success());
    assert_eq!(place.read("other.ron"), NEW);
}

#[cfg(unix)]
#[test]
fn an_import_into_a_link_keeps_the_link() {
    let place = Place::new();
    place.write("profile.ron", NEW);
    std::fs::create_dir(place.path().join("dotfiles")).unwrap();
    place.write("dotfiles/b.ron", OLD);
    std::os::unix::fs::symlink("dotfiles/b.ron", place.path().join("backline.ron")).unwrap();
    assert_eq!(place.run(&["config", "import", "profile.ron"]).code, 0);
    assert!(place.path().join("backline.ron").symlink_metadata().unwrap().is_symlink());
    assert_eq!(place.read("dotfiles/b.ron"), NEW);
    assert_eq!(place.read("dotfiles/b.ron.bak"), OLD);
}

#[test]
fn an_export_has_no_secret_and_is_an_import_again() {
    let place = Place::new();
    place.write(
        "backline.ron",
        r#"(backends: { "llm": (kind: openai, url: "http://127.0.0.1:1", api_key: "sk-canary") })"#,
    );
    let ended = place.run(&["config", "export", "profile.ron", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(ended.json()["variables"], serde_json::json!(["BACKLINE_LLM_API_KEY"]));
    assert!(ended.err.contains("BACKLINE_LLM_API_KEY"), "{}", ended.err);
    let text = place.read("profile.ron");
    assert!(text.contains("env:BACKLINE_LLM_API_KEY") && !text.contains("canary"), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = place.path().join("profile.ron").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(place.run(&["config", "export", "-"]).out, text);

    place.write("profile.ron", "(mine)");
    refused(&place.run(&["config", "export", "profile.ron"]), &["profile.ron", "--force"]);
    assert_eq!(place.read("profile.ron"), "(mine)");
    assert_eq!(place.run(&["config", "export", "profile.ron", "--force"]).code, 0);
    refused(&place.run(&["config", "export", "no/such/directory.ron"]), &["no/such/directory.ron"]);
    refused(&place.run(&["config", "export", "."]), &["is a directory"]);

    refused(
        &place.run(&["--config", "new.ron", "config", "import", "profile.ron"]),
        &["BACKLINE_LLM_API_KEY"],
    );
    let mut import = place.command(&["--config", "new.ron", "config", "import", "profile.ron"]);
    assert!(import.env("BACKLINE_LLM_API_KEY", "sk").status().unwrap().success());
    assert_eq!(place.read("new.ron"), text);
    assert_eq!(place.files(), ["backline.ron", "new.ron", "profile.ron"]);
}

#[test]
fn a_first_configuration_is_never_written_over_another() {
    let place = Place::new();
    place.write("backline.ron", OLD);
    refused(&place.run(&["config", "init"]), &["backline.ron", "--config"]);
    assert_eq!(place.read("backline.ron"), OLD);
    assert_eq!(place.run(&["--config", "other.ron", "config", "init"]).code, 0);
    refused(
        &place.run(&["--config", "no/such.ron", "config", "init"]),
        &["no/such.ron", "cannot be written"],
    );
    assert_eq!(place.files(), ["backline.ron", "other.ron"]);
}

#[test]
fn a_preset_is_saved_listed_shown_and_used() {
    let place = Place::new();
    place.write("backline.ron", OLD);
    assert_eq!(place.run(&["config", "presets", "save", "mine"]).code, 0);
    let listed = place.run(&["config", "presets", "--json"]).json();
    let rows = listed["presets"].as_array().unwrap();
    assert!(rows.len() >= 5 && rows.iter().all(|row| !row["title"].as_str().unwrap().is_empty()));
    let mine = rows.iter().find(|row| row["name"] == "mine").unwrap();
    assert!(mine["source"].as_str().unwrap().ends_with("mine.ron"), "{mine}");
    assert!(place.run(&["config", "presets"]).out.contains("mine "));
    assert!(place.run(&["config", "presets", "mine"]).out.contains("http://127.0.0.1:1"));

    place.write("backline.ron", NEW);
    refused(&place.run(&["config", "presets", "save", "mine"]), &["mine.ron", "--force"]);
    for own in ["workstation", "use"] {
        refused(&place.run(&["config", "presets", "save", own, "--force"]), &[own]);
    }
    refused(&place.run(&["config", "presets", "save", "../mine"]), &["../mine", "is no id"]);
    refused(&place.run(&["config", "presets", "use", "main"]), &["main", "mine", "two-gpus"]);
    assert_eq!(place.run(&["config", "presets", "use", "mine"]).code, 0);
    assert!(place.read("backline.ron").contains("http://127.0.0.1:1"));
    assert_eq!(place.read("backline.ron.bak"), NEW);

    let dry = place.run(&["config", "presets", "use", "two-gpus", "--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.err);
    assert_eq!(place.run(&["config", "presets", "use", "two-gpus"]).out, dry.out);
    assert!(place.read("backline.ron").starts_with("//"), "a preset keeps its comments");
    assert_eq!(place.run(&["config", "check"]).code, 0);
    // One that needs a key says which, and changes nothing.
    let before = place.read("backline.ron");
    refused(&place.run(&["config", "presets", "use", "render-box"]), &["render-box:", "is not set"]);
    assert_eq!(place.read("backline.ron"), before);
}
