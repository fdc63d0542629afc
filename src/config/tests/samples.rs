//! The files that a person copies: they load without a problem, and the example has every field with a comment.

use std::collections::BTreeMap;

use super::*;
use crate::config::{
    raw::{Piece, Text},
    schema::child,
};

const VARIABLES: [(&str, &str); 7] = [
    ("LITELLM_MASTER_KEY", "sk-1"),
    ("RENDER_TOKEN", "a"),
    ("STUDIO_GATEWAY_TOKEN", "a"),
    ("FACES_PASSWORD", "a"),
    ("STUDIO_HOOK_TOKEN", "a"),
    ("STUDIO_BACKLINE_TOKEN", "a"),
    ("STUDIO_BACKLINE_READER", "b"),
];

#[test]
fn every_sample_loads_without_a_problem_or_a_warning() {
    let mut files = vec!["config/demo.ron".to_owned(), "config/studio.ron".to_owned()];
    files.extend(presets().iter().map(|preset| format!("config/presets/{}.ron", preset.name)));
    for file in files {
        let checked = env(Loader::new().file(&file), &VARIABLES).check();
        assert_eq!(checked, Checked::default(), "{file}");
    }
    assert_eq!(init_text(), preset("workstation").unwrap().text);
}

#[test]
fn every_preset_is_in_the_list_and_does_what_its_title_says() {
    let there: Vec<_> =
        std::fs::read_dir("config/presets").unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(there.len(), presets().len(), "{there:?}");
    let load = |name: &str| {
        let file = directory(preset(name).unwrap().text);
        env(named(&file), &VARIABLES).load().unwrap().config
    };
    assert_eq!(load("two-gpus").pools["image"].members.len(), 2);
    let shared = load("comfyui-llm");
    assert!(shared.backends.values().all(|b| b.exclusive.as_deref_id() == Some("card")));
    assert!(load("render-box").backends.values().all(|b| b.url.scheme() == "https"));
}

trait DerefId {
    fn as_deref_id(&self) -> Option<&str>;
}

impl DerefId for Option<crate::model::BackendId> {
    fn as_deref_id(&self) -> Option<&str> {
        self.as_ref().map(crate::model::BackendId::as_str)
    }
}

/// The first line of each field that is written in a text, by its pattern.
fn written(piece: Piece<'_>, pattern: &str, found: &mut BTreeMap<&'static str, u32>) {
    let is_map =
        child(pattern, "*").is_some_and(|field| field.path.ends_with('*')) && piece.entries().is_some();
    let parts = if is_map { piece.entries() } else { piece.fields() };
    for (name, value) in parts.into_iter().flatten() {
        let field = child(pattern, name.name()).unwrap();
        found.entry(field.path).or_insert(name.place().line);
        if field.kind.is_group() {
            written(value, field.path, found);
        }
    }
}

#[test]
fn the_example_has_every_field_under_a_comment() {
    let text = Text::new("studio.ron".into(), example_text().to_owned());
    let mut found = BTreeMap::new();
    written(text.root().unwrap(), "", &mut found);
    let lines: Vec<_> = example_text().lines().collect();
    for field in schema() {
        let line = *found.get(field.path).unwrap_or_else(|| panic!("{} is missing", field.path));
        let above = lines[line as usize - 2].trim();
        assert!(field.path.ends_with('*') || above.starts_with("//"), "{} has no comment", field.path);
    }
}

#[test]
fn the_example_shows_the_defaults_unless_it_says_otherwise() {
    let loaded = env(Loader::new().file("config/studio.ron"), &VARIABLES).load().unwrap();
    let lines: Vec<_> = example_text().lines().collect();
    let mut compared = 0;
    for field in schema().iter().filter(|field| !field.default.is_empty()) {
        let path = field.path.replace("backends.*", "backends.comfy-a");
        let Some(row) = loaded.values().into_iter().find(|row| row.path == path) else { continue };
        let above = row.line.map_or("", |line| lines[line as usize - 2]);
        if !above.contains("Default:") {
            assert_eq!(row.value.to_string(), field.default, "{path}");
            compared += 1;
        }
    }
    assert!(compared > 15, "{compared}");
}

#[test]
fn an_export_loads_as_the_same_configuration() {
    let loaded = env(Loader::new().file("config/studio.ron"), &VARIABLES).load().unwrap();
    let exported = loaded.export();
    // A header may carry a token under any name, so its value is not written out.
    assert_eq!(exported.variables, ["BACKLINE_COMFY_A_HEADERS_X_STUDIO_TEAM"]);
    let mut variables = VARIABLES.to_vec();
    variables.push((&exported.variables[0], "lighting"));
    // Paths are written as they were resolved, so the copy may lie anywhere.
    let copy = directory(&exported.text);
    let mut again = env(named(&copy), &variables).load().unwrap().config;
    again.state_dir = again.state_dir.map(|path| path.strip_prefix(copy.path()).unwrap().to_owned());
    let mut first = loaded.config;
    for config in [&mut again, &mut first] {
        let comfy = config.backend_mut("comfy-a").unwrap();
        let team = comfy.headers.shift_remove(&::http::HeaderName::from_static("x-studio-team")).unwrap();
        let text =
            team.resolve(&|name| variables.iter().find(|v| v.0 == name).map(|v| v.1.to_owned())).unwrap();
        assert_eq!(secrecy::ExposeSecret::expose_secret(&text), "lighting");
    }
    assert_eq!(again, first);
}
