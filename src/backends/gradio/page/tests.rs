use super::*;
use crate::backends::gradio::recordings::{VERSIONS, file};

fn page(json: &str) -> Page {
    Page::read(json.as_bytes()).unwrap()
}

#[test]
fn the_recorded_pages_are_read() {
    for version in VERSIONS {
        let page = page(&file(version, "config.json"));
        assert_eq!(page.version, version);
        assert_eq!(page.api_prefix, if version == "4.44.1" { "" } else { "/gradio_api" });
        assert_eq!((page.components.len(), page.dependencies.len()), (17, 8));
        assert_eq!(page.wangp(), None);
    }
}

#[test]
fn an_app_id_beyond_a_double_is_kept_whole() {
    let page = page(
        r#"{"version":"6","protocol":"sse_v3","app_id":18415569690687936228,"components":[],"dependencies":[]}"#,
    );
    assert_eq!(page.app_id.unwrap().0, "18415569690687936228");
    let answer: AppIdAnswer = serde_json::from_str(r#"{"app_id":"text too"}"#).unwrap();
    assert_eq!(answer.app_id.0, "text too");
}

#[test]
fn a_hidden_name_is_false_in_one_way_or_another() {
    for (version, said) in [("4.44.1", None), ("5.29.0", None), ("6.31.0", Some("false"))] {
        let page = page(&file(version, "config.json"));
        assert_eq!(page.dependencies[2].api_name.as_deref(), said, "{version}");
    }
}

#[test]
fn other_documents_and_older_protocols_are_not_taken() {
    let old = r#"{"version":"3.50.2","protocol":"ws","components":[],"dependencies":[]}"#;
    for other in ["{}", "[]", "<html>", r#"{"version":"1"}"#] {
        let fault = Page::read(other.as_bytes()).unwrap_err();
        assert_eq!(fault.code(), Code::WrongProgram, "{other}");
    }
    assert_eq!(Page::read(old.as_bytes()).unwrap_err().code(), Code::VersionUnsupported);
    let climbing =
        r#"{"version":"6","api_prefix":"/../x","protocol":"sse_v3","components":[],"dependencies":[]}"#;
    assert_eq!(Page::read(climbing.as_bytes()).unwrap_err().code(), Code::Protocol);
}

#[test]
fn wangp_is_known_by_its_title_or_its_author() {
    let with = |title: &str, text: &str| {
        page(&format!(
            r#"{{"version":"5.29.0","protocol":"sse_v3","title":"{title}","dependencies":[],
            "components":[{{"id":1,"type":"markdown","props":{{"value":"{text}"}}}},{{"id":2,"props":{{"value":[1]}}}}]}}"#
        ))
    };
    let named = |v: Option<&str>| Some(WanGp { version: v.map(str::to_owned) });
    assert_eq!(with("WanGP", "hello v1").wangp(), named(None));
    assert_eq!(with("x", "<h1>Wan<sup>GP</sup> v12.60 by DeepBeepMeep</h1>").wangp(), named(Some("v12.60")));
    assert_eq!(with("x", "very video v2, by DeepBeepMeep").wangp(), named(None));
    assert_eq!(with("WanGP fan page", "hello").wangp(), None);
}
