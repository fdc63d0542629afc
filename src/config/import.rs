//! A file that becomes the configuration somewhere else.

use std::path::Path;

use crate::config::{
    Exported, Loaded, Problems, check, export,
    file::Chain,
    layer::Layer,
    leaf::Leaf,
    raw::Text,
    read::{Reading, read},
};

/// How a file's text goes to another place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Carried {
    /// As it is, comments and all.
    Verbatim(String),
    /// Written anew, since it extends others or names paths beside it: those are resolved, comments are gone.
    Rewritten(Exported),
}

impl Carried {
    /// The text that means in `directory` what the file means where it lies. Nothing but the file speaks here: no
    /// override of the environment is written down.
    ///
    /// # Errors
    /// Everything that is wrong with the file by itself.
    pub(crate) fn of(file: &Path, directory: &Path) -> Result<Self, Problems> {
        let chain = Chain::read(file, &file.display().to_string());
        if !chain.problems.is_empty() {
            return Err(chain.problems.sorted());
        }
        let home = file.parent().unwrap_or(Path::new(""));
        match chain.texts.as_slice() {
            [text] if reads_alike(text, home, directory) => Ok(Self::Verbatim(text.clone())),
            _ => Ok(Self::Rewritten(export::export(&chain.layer))),
        }
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Verbatim(text) => text,
            Self::Rewritten(exported) => &exported.text,
        }
    }
}

impl Loaded {
    /// Secrets that are written out, each as a problem with its place.
    pub(crate) fn written_out(&self) -> Problems {
        let mut found = check::written_out(&self.config);
        for problem in &mut found.0 {
            if let Some(origin) = self.merged.origin(&problem.path) {
                *problem = problem.clone().at(origin);
            }
        }
        found.sorted()
    }
}

/// Whether a text says the same wherever it lies.
fn reads_alike(text: &str, one: &Path, other: &Path) -> bool {
    let reading = |directory: &Path| read(&Text::new("".into(), text.to_owned()), directory);
    let leaves = |layer: Layer| -> Vec<(String, Leaf)> {
        layer.values.into_iter().map(|(path, value)| (path, value.leaf)).collect()
    };
    let (Reading { layer: a, .. }, Reading { layer: b, .. }) = (reading(one), reading(other));
    leaves(a) == leaves(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(text: &str) -> Carried {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("profile.ron");
        std::fs::write(&file, text).unwrap();
        std::fs::write(home.path().join("base.ron"), "(log: (files: 7))").unwrap();
        Carried::of(&file, Path::new("/elsewhere")).unwrap()
    }

    #[test]
    fn every_preset_says_the_same_wherever_it_lies() {
        for preset in crate::config::presets() {
            assert!(reads_alike(preset.text, Path::new("/a"), Path::new("/b")), "{}", preset.name);
        }
    }

    #[test]
    fn a_text_without_paths_goes_as_it_is_and_others_are_resolved() {
        let plain = r#"// mine
            (backends: { "a": (kind: openai, url: "http://127.0.0.1:1", api_key: "env:K") })"#;
        assert_eq!(carried(plain), Carried::Verbatim(plain.to_owned()));
        let carried_text = |text| match carried(text) {
            Carried::Rewritten(exported) => exported.text,
            Carried::Verbatim(text) => panic!("not resolved: {text}"),
        };
        let text = carried_text("(extends: \"base.ron\")");
        assert!(text.contains("files: 7") && !text.contains("extends"), "{text}");
        let text = carried_text(&plain.replace("env:K", "file:key"));
        assert!(text.contains("/key") && !text.contains("\"file:key\""), "{text}");
    }
}
