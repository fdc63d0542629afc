use proptest::prelude::*;

use super::*;
use crate::backends::gradio::recordings::{VERSIONS, stream};

fn said(text: &str) -> Said {
    Message::read(text).unwrap().said
}

#[test]
fn every_recorded_message_is_known() {
    let scenes = [
        "generate_success",
        "stream_diffs",
        "generate_fail",
        "generate_crash",
        "cancelled",
        "unknown_session",
        "file_echo",
    ];
    for version in VERSIONS {
        for scene in scenes {
            for text in stream(version, scene) {
                assert!(!matches!(said(&text), Said::Unknown), "{version} {scene}: {text}");
            }
        }
    }
}

#[test]
fn a_session_that_is_not_known_is_told_in_two_ways() {
    for version in VERSIONS {
        let texts = stream(version, "unknown_session");
        assert!(matches!(said(&texts[0]), Said::NoSession), "{version}");
    }
    let stopped = r#"{"msg":"unexpected_error","message":"Server stopped unexpectedly.","success":false}"#;
    assert!(matches!(said(stopped), Said::Broken(_)));
}

#[test]
fn progress_is_steps_or_a_part() {
    let of = |unit: &str| match said(&format!(r#"{{"msg":"progress","progress_data":[{unit}]}}"#)) {
        Said::Progress(progress) => (progress.value, progress.max, progress.message),
        other => panic!("{other:?}"),
    };
    assert_eq!(of(r#"{"index":3,"length":4,"desc":"d"}"#), (3.0, Some(4.0), Some("d".to_owned())));
    assert_eq!(of(r#"{"index":null,"length":null,"progress":0.25}"#), (0.25, Some(1.0), None));
    assert_eq!(of(r#"{"index":7,"length":null}"#), (7.0, None, None));
    assert!(matches!(said(r#"{"msg":"progress","progress_data":[]}"#), Said::Unknown));
}

#[test]
fn an_end_is_good_with_values_only() {
    let end = |output: &str, success: bool| match said(&format!(
        r#"{{"msg":"process_completed","output":{output},"success":{success}}}"#
    )) {
        Said::Completed(ending) => ending,
        other => panic!("{other:?}"),
    };
    assert!(matches!(end(r#"{"data":[1]}"#, true), Ending::Done(d) if d.get() == "[1]"));
    assert!(matches!(end("{}", true), Ending::Cancelled));
    assert!(matches!(end("null", true), Ending::Cancelled));
    assert!(matches!(end(r#"{"error":"boom"}"#, true), Ending::Failed(f) if f.message() == "boom"));
    assert!(matches!(end(r#"{"data":[1]}"#, false), Ending::Failed(_)));
    let hidden = end(r#"{"error":null}"#, false);
    assert!(matches!(hidden, Ending::Failed(f) if f.fix().contains("show_error")));
    let memory = end(r#"{"error":"CUDA out of memory. Tried to"}"#, false);
    assert!(matches!(memory, Ending::Failed(f) if f.code() == Code::OutOfMemory));
}

#[test]
fn unknown_kinds_and_fields_are_tolerated() {
    assert!(matches!(said(r#"{"msg":"tomorrow","event_id":"e","new":{}}"#), Said::Unknown));
    assert!(matches!(said(r#"{"msg":"heartbeat","event_id":null,"new":1}"#), Said::Heartbeat));
    assert!(Message::read("{}").is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in r#"\{"msg":"(progress|process_completed|process_generating|log)","(output|progress_data|log)":[\[\]{}0-9,"a:]{0,20}\}"#) {
        let _ = Message::read(&text);
    }
}
