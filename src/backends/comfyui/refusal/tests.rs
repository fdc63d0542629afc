use std::collections::BTreeMap;

use super::*;
use crate::backends::comfyui::recordings::{VERSIONS, file};

#[derive(Deserialize)]
struct Recorded {
    status: u16,
    body: Box<RawValue>,
}

fn answers(version: &str) -> BTreeMap<String, Answer> {
    let recorded: BTreeMap<String, Recorded> =
        serde_json::from_str(&file(version, "prompt_answers.json")).unwrap();
    let judged = recorded.into_iter().map(|(name, r)| {
        // A plain text was recorded as a JSON string.
        let body = serde_json::from_str::<String>(r.body.get()).unwrap_or_else(|_| r.body.get().to_owned());
        (name, judge(StatusCode::from_u16(r.status).unwrap(), &body))
    });
    judged.collect()
}

fn refused<'a>(answers: &'a BTreeMap<String, Answer>, name: &str) -> &'a Fault {
    match &answers[name] {
        Answer::Refused(fault) => fault,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn every_recorded_refusal_is_said_in_plain_words() {
    for version in VERSIONS {
        let answers = answers(version);
        for (name, words) in [
            ("missing_input", "node 2 (SaveImage): Required input is missing: images"),
            ("out_of_range", "node 1 (EmptyImage): Value 999999 bigger than max of 16384: width"),
            ("bad_link_node", "node 2 (SaveImage): it is linked to node '99', which is not in the workflow"),
            ("no_outputs", "Prompt has no outputs"),
            ("no_prompt", "No prompt provided"),
        ] {
            let fault = refused(&answers, name);
            assert_eq!((fault.code(), fault.message()), (Code::InvalidWorkflow, words), "{version} {name}");
        }
        let unknown = refused(&answers, "missing_node_type");
        assert_eq!(unknown.code(), Code::MissingNode);
        let unknown = unknown.message();
        assert!(unknown.contains("NoSuchNode") && unknown.contains("Node ID '#1'"), "{unknown}");
        assert_eq!(refused(&answers, "no_class_type").code(), Code::InvalidWorkflow);
        assert_eq!(refused(&answers, "badjson").code(), Code::InvalidWorkflow);
        assert!(!refused(&answers, "badjson").is_retryable());
    }
}

#[test]
fn a_partial_acceptance_is_one_with_notes() {
    for version in VERSIONS {
        let answers = answers(version);
        let Answer::Accepted { notes, .. } = &answers["partly_bad_two_outputs"] else { panic!("refused") };
        assert_eq!(notes.len(), 1);
        assert!(notes[0].contains("node 3 (SaveImage)") && notes[0].contains("'88'"), "{notes:?}");
        assert!(matches!(&answers["ok"], Answer::Accepted { notes, .. } if notes.is_empty()));
    }
}

#[test]
fn many_complaints_are_counted_in_the_line_and_listed_in_the_detail() {
    let node = r#"{"errors":[{"type":"t","message":"M","details":"d"}],"class_type":"C"}"#;
    let body = format!(
        r#"{{"error":{{"type":"e","message":"m","details":""}},"node_errors":{{"1":{node},"2":{node},"3":{node}}}}}"#
    );
    let Answer::Refused(fault) = judge(StatusCode::BAD_REQUEST, &body) else { panic!("accepted") };
    assert_eq!(fault.message(), "node 1 (C): M: d; node 2 (C): M: d; and 1 more");
    assert_eq!(fault.detail().unwrap().lines().count(), 3);
}

#[test]
fn an_answer_in_the_server_s_place_leaves_a_doubt() {
    for (status, body) in [(502, "<html>"), (504, ""), (200, "<html>login</html>"), (302, "")] {
        assert!(
            matches!(judge(StatusCode::from_u16(status).unwrap(), body), Answer::Doubtful(_)),
            "{status}"
        );
    }
    assert!(
        matches!(judge(StatusCode::BAD_REQUEST, "nginx"), Answer::Refused(f) if f.code() == Code::BadRequest)
    );
    assert!(matches!(judge(StatusCode::TOO_MANY_REQUESTS, ""), Answer::Refused(f) if f.is_retryable()));
}

#[test]
fn a_model_that_is_not_there_is_told_from_another_value_that_is_not_in_a_list() {
    // The shape is recorded (0.24.0 and 0.3.64, `magic` for a method of scaling); the checkpoint's name is ours.
    let of = |value: &str, more: &str| {
        let error = format!(
            r#"{{"type":"value_not_in_list","message":"Value not in list","details":"x: '{value}' not in ['a']",
            "extra_info":{{"input_name":"x","input_config":[["a"],{{}}],"received_value":"{value}"}}}}{more}"#
        );
        let body = format!(
            r#"{{"error":{{"type":"prompt_outputs_failed_validation","message":"Prompt outputs failed validation",
            "details":"","extra_info":{{}}}},"node_errors":{{"1":{{"class_type":"C","dependent_outputs":["2"],
            "errors":[{error}]}}}}}}"#
        );
        match judge(StatusCode::BAD_REQUEST, &body) {
            Answer::Refused(fault) => fault.code(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(of("dream.safetensors", ""), Code::MissingModel);
    assert_eq!(of("magic", ""), Code::InvalidWorkflow);
    let another = r#",{"type":"required_input_missing","message":"m","details":"d","extra_info":{}}"#;
    assert_eq!(of("dream.safetensors", another), Code::InvalidWorkflow, "more than the model is wrong");
}
