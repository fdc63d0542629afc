use super::*;

const GRAPH: &str = r#"{"3":{"inputs":{"seed":18446744073709551615,"steps":20,"text":"a","model":["4",0]},
    "class_type":"KSampler","_meta":{"title":"Sampler"}},"10:2":{"class_type":"SaveImage","inputs":{}}}"#;

fn workflow() -> Workflow {
    Workflow::parse(GRAPH).unwrap()
}

#[test]
fn it_is_sent_as_it_came_digit_by_digit() {
    let sent = workflow().to_raw();
    assert!(sent.get().contains("18446744073709551615"), "{sent}");
    assert!(sent.get().contains(r#""_meta":{"title":"Sampler"}"#), "{sent}");
    assert_eq!(workflow().classes().collect::<Vec<_>>(), [("3", "KSampler"), ("10:2", "SaveImage")]);
}

#[test]
fn an_input_is_set_to_json_or_else_to_a_text() {
    let mut workflow = workflow();
    for set in ["3.steps=42", "3.text=a cat = a friend", r#"3.model=["7", 1]"#, "3.seed=\"5\""] {
        workflow.set(set).unwrap();
    }
    let sent = workflow.to_raw();
    let inputs = r#"{"seed":"5","steps":42,"text":"a cat = a friend","model":["7", 1]}"#;
    assert!(sent.get().contains(inputs), "{sent}");
}

#[test]
fn a_wrong_place_is_answered_with_the_right_ones() {
    let mut workflow = workflow();
    for (set, says) in [
        ("9.steps=1", "no node `9`; it has 3 (KSampler), 10:2 (SaveImage)"),
        ("3.step=1", "node 3 (KSampler) has no input `step`; it has seed, steps, text, model"),
        ("10:2.x=1", "it has none"),
        ("3=1", "names no input"),
        ("3.steps", "it has no `=`"),
    ] {
        let fault = workflow.set(set).unwrap_err();
        assert!(fault.message().contains(says), "{fault}");
        assert_eq!(fault.code(), Code::BadRequest);
    }
}

#[test]
fn the_editor_s_format_is_recognised_with_its_remedy() {
    let saved = r#"{"last_node_id":2,"nodes":[{"id":1,"type":"KSampler","widgets_values":[1]}],"links":[[1,2,0,3,0,"X"]],
        "groups":[],"version":0.4}"#;
    let fault = Workflow::parse(saved).unwrap_err();
    assert_eq!(fault.code(), Code::EditorWorkflow);
    assert!(fault.fix().contains("Export (API)"), "{}", fault.fix());
}

#[test]
fn what_is_no_workflow_is_said_to_be_none() {
    for bad in ["", "[]", "3", "{}", r#"{"1":5}"#, r#"{"1":{"inputs":[]}}"#, "{\"1\":"] {
        assert_eq!(Workflow::parse(bad).unwrap_err().code(), Code::BadRequest, "{bad}");
    }
    // Without a class it is ComfyUI's to complain.
    assert!(Workflow::parse(r#"{"1":{"inputs":{}}}"#).is_ok());
}
