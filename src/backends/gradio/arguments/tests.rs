use super::*;
use crate::backends::gradio::{
    function::Functions,
    page::Page,
    parameter::Signatures,
    recordings::{VERSIONS, file},
};

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

/// What a recorded app is sent.
fn sent(version: &str, function: &str, given: &str) -> Result<String, Fault> {
    let page = Page::read(file(version, "config.json").as_bytes()).unwrap();
    let signatures: Signatures = serde_json::from_str(&file(version, "info.json")).unwrap();
    let functions = Functions::of(&page);
    let function = functions.find(function).unwrap();
    let signature = function.name.as_deref().and_then(|n| signatures.of(n));
    let values = arrange(function, signature, &raw(given))?;
    Ok(values.iter().map(|v| v.get()).collect::<Vec<_>>().join(" "))
}

#[test]
fn a_list_is_filled_up_with_the_apps_defaults() {
    for version in VERSIONS {
        assert_eq!(sent(version, "generate", r#"["p",7,null]"#).unwrap(), r#""p" 7 null "t2v""#);
        assert_eq!(sent(version, "stream", r#"["p"]"#).unwrap(), r#""p" 3"#);
        assert_eq!(sent(version, "2", r#"["hidden"]"#).unwrap(), r#""hidden""#);
    }
}

#[test]
fn an_object_names_the_parameters_in_any_order() {
    for version in VERSIONS {
        let given = r#"{"model_type":"i2v","image_start":null,"prompt":"p"}"#;
        assert_eq!(sent(version, "generate", given).unwrap(), r#""p" 3 null "i2v""#);
    }
}

#[test]
fn what_does_not_fit_names_the_parameters() {
    let cases = [
        ("generate", r#"["p"]"#, "is given no `image_start`, which has no default"),
        ("generate", r#"[1,2,3,4,5]"#, "takes 4 values and is given 5"),
        ("generate", r#"{"prompt":1,"image_start":2,"nope":3}"#, "has no parameter `nope`"),
        ("stream", "{}", "is given no `prompt`"),
        ("2", "{}", "has no parameter names"),
        ("2", "[]", "takes 1 values and is given 0"),
        ("stream", "5", "neither a list nor an object"),
    ];
    for (function, given, said) in cases {
        let fault = sent("6.31.0", function, given).unwrap_err();
        assert_eq!(fault.code(), Code::BadRequest);
        assert!(fault.message().contains(said), "{given}: {fault}");
    }
    let fault = sent("6.31.0", "generate", "[]").unwrap_err();
    assert!(
        fault.message().contains("prompt, steps (has a default), image_start, model_type (has a default)"),
        "{fault}"
    );
}

#[test]
fn values_go_as_they_were_written() {
    let given = r#"[ {"a" : 1.50} , 1e3 ]"#;
    assert_eq!(sent("5.29.0", "stream", given).unwrap(), r#"{"a" : 1.50} 1e3"#);
}

#[test]
fn a_state_takes_null_wherever_it_stands() {
    let label = || Input::Value(None);
    let function = Function {
        index: 0,
        name: None,
        shown: false,
        inputs: vec![label(), Input::State, label(), Input::State],
    };
    let values = arrange(&function, None, &raw("[1,2]")).unwrap();
    assert_eq!(values.iter().map(|v| v.get()).collect::<Vec<_>>(), ["1", "null", "2", "null"]);
}
