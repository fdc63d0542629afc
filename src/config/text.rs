//! A file's text as edits, for a configuration that comes through the API.

use std::path::Path;

use secrecy::ExposeSecret;

use crate::config::{
    Edits, Problem, Problems, Secret,
    layer::Layer,
    leaf::Leaf,
    raw::Text,
    read::{Reading, read},
};

/// The values of a text, and what of the layers below is taken out: the backends and pools that it does not name.
///
/// # Errors
/// Everything that is wrong with the text by itself; a text that builds on files, which are not at hand here.
pub(crate) fn edits_of(text: &str, below: &Layer) -> Result<Edits, Problems> {
    let Reading { layer, mut problems, .. } = read(&Text::new("text".into(), text.to_owned()), Path::new(""));
    if let Some(extends) = layer.values.get("extends") {
        let message = "a text that is sent builds on no file";
        problems.push(Problem::new("extends", message, "Send the whole of it.").at(&extends.origin));
    }
    if !problems.is_empty() {
        return Err(problems.sorted());
    }
    let mut edits = Edits::default();
    for map in ["backends", "pools"] {
        for (name, _) in below.names_in(map) {
            if layer.names_in(map).all(|(wanted, _)| wanted != name) {
                edits.remove(format!("{map}.{name}"));
            }
        }
    }
    for (path, value) in layer.values.iter().filter(|(path, _)| *path != "version") {
        edits.write(path.clone(), written(&value.leaf));
    }
    Ok(edits)
}

/// The value as an edit has it: a secret as it was sent.
fn written(leaf: &Leaf) -> String {
    match leaf {
        Leaf::Secret(Secret::Inline(text))
        | Leaf::Hook(Secret::Inline(text))
        | Leaf::Proxy(Secret::Inline(text)) => text.expose_secret().to_owned(),
        leaf => leaf.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Loader;

    #[test]
    fn every_preset_becomes_what_it_says_and_takes_the_rest_out() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("backline.ron");
        std::fs::write(&file, r#"(backends: { "old": (kind: openai, url: "http://127.0.0.1:1") })"#).unwrap();
        for preset in crate::config::presets() {
            let now = Loader::new().file(&file).load().unwrap();
            let edits = edits_of(preset.text, &now.merged).unwrap();
            assert!(edits.removed().any(|path| path == "backends.old"), "{}", preset.name);
            let (after, _) = Loader::new().file(&file).edits(edits).gather();
            let (plain, _) = Loader::new().text(preset.name, preset.text).gather();
            let ids = |loaded: &crate::config::Loaded| {
                let mut ids: Vec<_> = loaded.config.backends.keys().map(ToString::to_string).collect();
                ids.sort();
                ids
            };
            assert_eq!(ids(&after), ids(&plain), "{}", preset.name);
        }
    }

    #[test]
    fn a_text_that_builds_on_a_file_is_refused_and_a_secret_is_kept_as_it_came() {
        let refused = edits_of(r#"(extends: "/etc/passwd")"#, &Layer::default()).unwrap_err();
        assert!(refused.to_string().contains("builds on no file"), "{refused}");
        let text = r#"(backends: { "a": (kind: openai, url: "http://127.0.0.1:1", api_key: "sk-1") })"#;
        let edits = edits_of(text, &Layer::default()).unwrap();
        assert!(!format!("{edits:?}").contains("sk-1"));
        let loaded = Loader::new().edits(edits).gather_without_file().0;
        assert!(loaded.config.backends["a"].secrets().any(|(_, secret)| secret.is_inline()));
    }
}
