//! No text is a panic, and whatever loads can be shown, exported and loaded again.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::config::{raw::Text, read::read};

/// Text that is nearly a configuration: the example with parts cut out, doubled or replaced.
fn nearly() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just("{".to_owned()),
        Just("]".to_owned()),
        Just("\"".to_owned()),
        Just("Some(".to_owned()),
        Just("None".to_owned()),
        Just("/*".to_owned()),
        Just("//".to_owned()),
        Just("r#".to_owned()),
        Just(",".to_owned()),
        Just(":".to_owned()),
        Just("é".to_owned()),
        Just("-1".to_owned()),
        "[a-z_]{1,8}",
        "\\PC{0,4}",
    ];
    let edit = (any::<prop::sample::Index>(), 0..40_usize, piece);
    prop::collection::vec(edit, 0..4).prop_map(|edits| {
        let mut text: Vec<char> = example_text().chars().collect();
        for (at, cut, piece) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, piece.chars());
        }
        text.into_iter().collect()
    })
}

fn check(text: String) {
    let directory = directory(&text.replace("extends: \"demo.ron\",", ""));
    let loader = named(&directory);
    match loader.load() {
        Err(problems) => {
            assert!(!problems.is_empty());
            assert_eq!(problems.to_string().lines().count(), problems.len(), "one line each");
        }
        Ok(loaded) => {
            let _ = loaded.values();
            let copy = directory.path().join("copy.ron");
            std::fs::write(&copy, loaded.export().text).unwrap();
            assert_eq!(Loader::new().file(copy).load().unwrap().config, loaded.config);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,200}") {
        let _ = read(&Text::new("a.ron".into(), text), Path::new(""));
    }

    #[test]
    fn no_nearly_right_text_is_a_panic(text in nearly()) {
        check(text);
    }

    #[test]
    fn whatever_loads_is_exported_and_loads_again(
        id in "[a-z0-9][a-z0-9_-]{0,8}", port in 1..u16::MAX, slots in 1..100_u32, millis in 100..100_000_u64,
        header in "[ -~]{1,20}", host in "\\PC{1,10}",
    ) {
        let quote = |text: &str| ron::to_string(text).unwrap();
        let text = format!(
            "(backends: {{ \"{id}\": (kind: comfyui, url: \"http://127.0.0.1:{port}\", limits: (slots: {slots}), \
             hang_limit: \"{}ms\", headers: {{ \"x-a\": {} }}) }}, http: (hosts: [{}]))",
            millis * 10, quote(&format!("v{header}")), quote(&host),
        );
        let directory = directory(&text);
        let loaded = named(&directory).load();
        prop_assert!(loaded.is_ok(), "{}", loaded.unwrap_err());
        let loaded = loaded.unwrap();
        let exported = loaded.export();
        std::fs::write(directory.path().join("copy.ron"), &exported.text).unwrap();
        let variables = exported.variables.iter().map(|name| (name.clone(), "x".to_owned()));
        let again = Loader::new().file(directory.path().join("copy.ron")).env(variables).load().unwrap();
        prop_assert_eq!(again.config.http.hosts, loaded.config.http.hosts);
        prop_assert_eq!(again.config.backends.len(), 1);
    }
}

#[test]
fn deep_and_broad_texts_end_soon() {
    for text in [
        "(".repeat(1_000_000),
        "[".repeat(100_000),
        format!("(backends: {}{})", "Some(".repeat(100), ")".repeat(100)),
        format!("(backends: {}{})", "((".repeat(60), "))".repeat(60)),
        format!("(backends: {{ {} }})", "\"a\": (),".repeat(5_000)),
        format!(
            "(backends: {{ {} }})",
            (0..500)
                .map(|n| format!(
                    "\"b{n}\": (kind: gradio, url: \"http://127.0.0.1:{}\", depends_on: [\"b{}\"]),",
                    n + 1,
                    n + 1
                ))
                .collect::<String>()
        ),
        format!("({})", "/* ".repeat(100_000)),
    ] {
        let directory = directory(&text);
        let begun = tokio::time::Instant::now();
        assert!(!named(&directory).check().problems.is_empty());
        assert!(begun.elapsed().as_secs() < 20, "{}", text.chars().take(60).collect::<String>());
    }
}
