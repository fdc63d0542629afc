use super::*;
use crate::backends::gradio::recordings::{VERSIONS, file};

fn functions(version: &str) -> Functions {
    Functions::of(&Page::read(file(version, "config.json").as_bytes()).unwrap())
}

#[test]
fn all_versions_offer_the_same_functions() {
    for version in VERSIONS {
        let functions = functions(version);
        assert_eq!(
            functions.names(),
            ["/generate", "/stream", "/noop", "/fileecho", "/unqueued"],
            "{version}"
        );
        // The hidden one has Python behind it and an index; the browser's own have not.
        assert_eq!(functions.all().len(), 6);
        assert_eq!(functions.find("2").unwrap().name, None);
        assert_eq!(functions.find("/generate").unwrap(), functions.find("generate").unwrap());
        assert_eq!(functions.find("0").unwrap().inputs.len(), 4);
    }
}

#[test]
fn a_name_that_is_missing_brings_the_nearest() {
    let fault = functions("6.31.0").find("/genrate").unwrap_err();
    assert_eq!(fault.code(), Code::NotFound);
    assert!(fault.message().contains("it has /generate, "), "{fault}");
    assert_eq!(fault.fix(), "Did you mean `/generate`?");
    let fault = Functions::default().find("x").unwrap_err();
    assert!(fault.message().contains("shows none"), "{fault}");
}

#[test]
fn a_state_is_an_input_of_its_own() {
    let page = r#"{"version":"5","protocol":"sse_v3",
        "components":[{"id":1,"type":"state"},{"id":2,"type":"textbox","props":{"label":"Text"}}],
        "dependencies":[{"api_name":"/f","inputs":[1,2,9]}]}"#;
    let functions = Functions::of(&Page::read(page.as_bytes()).unwrap());
    let inputs = [Input::State, Input::Value(Some("Text".to_owned())), Input::Value(None)];
    assert_eq!(functions.find("f").unwrap().inputs, inputs);
}
