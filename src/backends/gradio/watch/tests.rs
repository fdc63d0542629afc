use serde_json::json;

use super::*;
use crate::backends::gradio::recordings::{VERSIONS, stream};

/// What a recorded stream comes to: the names of the reports, the partial values, the last step.
fn watched(version: &str, scene: &str) -> (Vec<&'static str>, Vec<Value>, Step) {
    let mut watch = Watch::default();
    let (mut names, mut partials) = (Vec::new(), Vec::new());
    for text in stream(version, scene) {
        match watch.take(&text) {
            Step::Nothing => {}
            Step::Report(report) => {
                if let Report::Partial(text) = &report {
                    partials.push(serde_json::from_str(text).unwrap());
                }
                names.push(name(&report));
            }
            step => return (names, partials, step),
        }
    }
    panic!("{version} {scene}: no end");
}

fn name(report: &Report) -> &'static str {
    match report {
        Report::Waiting { position: Some(0) } => "waiting",
        Report::Started => "started",
        Report::Progress(_) => "progress",
        Report::Partial(_) => "partial",
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_is_followed_to_its_values() {
    for version in VERSIONS {
        let (names, _, step) = watched(version, "generate_success");
        assert_eq!(names[..3], ["waiting", "started", "progress"], "{version}");
        let Step::Ended(Ending::Done(data)) = step else { panic!("{step:?}") };
        assert!(data.get().ends_with(r#""done hello img=None"]"#), "{}", data.get());
    }
}

#[test]
fn a_generators_differences_become_whole_values() {
    for version in VERSIONS {
        let (_, partials, step) = watched(version, "stream_diffs");
        assert_eq!(partials.len(), 4);
        assert_eq!(partials[0], json!(["Status: 0 ", {"step": 0, "phase": "denoise", "hist": [0]}]));
        assert_eq!(
            partials[3],
            json!(["Status: 0 1 2 3 ", {"step": 3, "phase": "denoise", "hist": [0, 1, 2, 3]}])
        );
        let Step::Ended(Ending::Done(data)) = step else { panic!("{step:?}") };
        assert_eq!(serde_json::from_str::<Value>(data.get()).unwrap(), partials[3]);
    }
}

#[test]
fn failures_and_cancellations_are_no_success() {
    for version in VERSIONS {
        for (scene, said) in [("generate_fail", "boom from generate"), ("generate_crash", "internal detail")]
        {
            let (_, _, step) = watched(version, scene);
            let Step::Ended(Ending::Failed(fault)) = step else { panic!("{step:?}") };
            assert!(fault.message().contains(said), "{fault}");
        }
        let (_, _, step) = watched(version, "cancelled");
        assert!(matches!(step, Step::Ended(Ending::Cancelled)), "{version}: {step:?}");
        let (_, _, step) = watched(version, "unknown_session");
        assert!(matches!(step, Step::NoSession), "{version}");
    }
}

#[test]
fn a_difference_that_does_not_fit_silences_the_values_and_not_the_end() {
    let mut watch = Watch::default();
    let generating = |data: Value| json!({"msg": "process_generating", "output": {"data": data}}).to_string();
    assert!(matches!(watch.take(&generating(json!(["a"]))), Step::Report(Report::Partial(_))));
    assert!(matches!(watch.take(&generating(json!([[["delete", [4], null]]]))), Step::Nothing));
    assert!(matches!(watch.take(&generating(json!([[["append", [], "b"]]]))), Step::Nothing));
    let end = r#"{"msg":"process_completed","output":{"data":["ab"]},"success":true}"#;
    assert!(matches!(watch.take(end), Step::Ended(Ending::Done(_))));
}

#[test]
fn messages_of_another_call_are_left_alone() {
    let mut watch = Watch::new(Some("ours".to_owned()));
    let other = r#"{"msg":"process_completed","event_id":"theirs","output":{"data":[]},"success":true}"#;
    assert!(matches!(watch.take(other), Step::Nothing));
    assert!(matches!(watch.take(r#"{"msg":"process_starts","event_id":"ours"}"#), Step::Report(_)));
}

#[test]
fn what_is_strange_is_counted() {
    let mut watch = Watch::default();
    for text in [r#"{"msg":"new"}"#, "not json", "{}"] {
        assert!(matches!(watch.take(text), Step::Nothing));
    }
    assert_eq!(watch.strange(), 3);
    assert!(matches!(watch.take(r#"{"msg":"close_stream"}"#), Step::Broken(_)));
}
