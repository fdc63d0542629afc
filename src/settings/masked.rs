//! Changes of a file that have no effect. Pure.

use crate::config::{
    Edits, Loaded,
    layer::{Origin, is_at_or_below},
};

/// A value that changed in the file while another layer stands over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Masked {
    /// Which value, or which backend that was taken out.
    pub(crate) path: String,
    /// What counts in its place: `api`, `env:NAME`, `command line`.
    pub(crate) by: String,
}

/// What changed in the file from one load to the next, and counts for nothing.
pub(crate) fn masked(before: &Loaded, after: &Loaded, edits: &Edits) -> Vec<Masked> {
    let mut found: Vec<Masked> = Vec::new();
    let gone = before.file.values.keys().filter(|path| !after.file.values.contains_key(*path));
    for path in after.file.values.keys().chain(gone) {
        let leaf = |loaded: &Loaded| loaded.file.values.get(path).map(|value| value.leaf.clone());
        if leaf(before) == leaf(after) {
            continue;
        }
        if let Some(masked) = over(path, after, edits).filter(|masked| !found.contains(masked)) {
            found.push(masked);
        }
    }
    found
}

/// What stands over the file at this path, where something does.
pub(crate) fn over(path: &str, loaded: &Loaded, edits: &Edits) -> Option<Masked> {
    let removed = edits.removed().find(|removed| is_at_or_below(path, removed));
    match (removed, loaded.merged.values.get(path).map(|value| &value.origin)) {
        (Some(group), _) => Some(Masked { path: group.to_owned(), by: Origin::Api.source() }),
        (None, Some(origin @ (Origin::Api | Origin::Env(_) | Origin::CommandLine))) => {
            Some(Masked { path: path.to_owned(), by: origin.source() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Loader;

    #[test]
    fn a_change_that_counts_for_nothing_is_named_with_what_counts() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("backline.ron");
        let mut edits = Edits::default();
        edits.set("backends.a.required", "true");
        edits.remove("backends.b");
        let load = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let env = [("BACKLINE_A_URL".to_owned(), "127.0.0.1:9".to_owned())];
            Loader::new().file(&file).env(env).edits(edits.clone()).load().unwrap()
        };
        let before = load(
            r#"(backends: { "a": (kind: comfyui, url: "http://x", enabled: true), "b": (kind: gradio, url: "http://y") })"#,
        );
        let after = load(
            r#"(backends: { "a": (kind: comfyui, url: "http://z", enabled: false, required: false), "b": (kind: gradio, url: "http://z") })"#,
        );
        let told: Vec<_> = masked(&before, &after, &edits).into_iter().map(|m| (m.path, m.by)).collect();
        let wanted =
            [("backends.a.url", "env:BACKLINE_A_URL"), ("backends.a.required", "api"), ("backends.b", "api")];
        assert_eq!(told, wanted.map(|(path, by)| (path.to_owned(), by.to_owned())));
        assert!(masked(&after, &after, &edits).is_empty());
        assert!(over("backends.a.required", &after, &edits).is_some());
        assert_eq!(over("backends.a.enabled", &after, &edits), None);
    }
}
