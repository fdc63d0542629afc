//! Who is behind a port, and whether the key opens.

use backline::{
    backends::Session as _,
    model::{Capability, Code, Kind},
};
use http::StatusCode;

use super::rig::{dial, line, sim, stranger, target};

const JSON: &str = "application/json";
const HTML: &str = "text/html";
const LISTING: &str = r#"{"object":"list","data":[{"id":"llama3","object":"model","owned_by":"library"}]}"#;
const GUARD: &str = r#"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error"}}"#;

#[tokio::test]
async fn a_session_knows_version_models_and_abilities() {
    let sim = sim().await;
    let line = line(&sim).await;
    assert_eq!(line.identity.version.as_deref(), Some("1.106.2"));
    let can =
        [Capability::TextChat, Capability::TextEmbed, Capability::ImageGenerate, Capability::AudioTranscribe];
    assert_eq!(line.identity.capabilities, can);
    assert_eq!(line.identity.models.len(), 16);
    assert_eq!(line.identity.models[0], "mock");
}

#[tokio::test]
async fn no_key_goes_out_before_the_fingerprint_matched() {
    let sim = sim().await;
    line(&sim).await;
    let seen = sim.seen();
    assert_eq!(seen[0].path, "/health/liveliness");
    assert!(!seen[0].headers.contains_key("authorization"));
    assert!(seen[1..].iter().all(|s| s.headers["authorization"] == format!("Bearer {}", sim.key())));
    assert_eq!(sim.executions(), 0, "nothing that costs");
}

#[tokio::test]
async fn a_missing_and_a_wrong_key_are_told_apart() {
    let sim = sim().await;
    for (key, code, word) in [
        (None, Code::AuthRequired, "api_key"),
        (Some("sk-wrong-key-0123456789"), Code::AuthWrong, "master key"),
    ] {
        for kind in [Kind::Litellm, Kind::Openai] {
            let fault = dial(target(&sim.url(), kind, key)).await.err().unwrap();
            assert_eq!(fault.code(), code, "{kind}: {fault:?}");
            assert!(fault.fix().contains(word), "{}", fault.fix());
            assert!(!format!("{fault:?} {:?}", fault.detail()).contains("wrong-key"));
        }
    }
}

#[tokio::test]
async fn a_squatter_is_named_and_sees_no_key() {
    for (page, name) in [
        ("<html><title>ComfyUI</title>", "ComfyUI"),
        ("<script>window.gradio_config = {}</script>", "a Gradio app"),
        ("<title>Welcome to nginx!</title>", "a bare nginx"),
    ] {
        for kind in [Kind::Litellm, Kind::Openai] {
            let server =
                stranger(move |path, _| if path == "/" { (200, HTML, page) } else { (404, HTML, "no") });
            let server = server.await.unwrap();
            let fault = dial(target(&server.url(), kind, Some("sk-canary-0123456789"))).await.err().unwrap();
            assert_eq!(fault.code(), Code::WrongProgram);
            assert!(fault.message().contains(name), "{fault}");
            let keyed = server.seen().iter().filter(|s| s.headers.contains_key("authorization")).count();
            assert_eq!(keyed, 0, "{name}");
        }
    }
}

#[tokio::test]
async fn an_openai_server_is_sent_to_its_own_kind() {
    let server = stranger(|path, _| match path {
        "/v1/models" => (200, JSON, LISTING),
        "/api/version" => (200, JSON, r#"{"version":"0.9.9"}"#),
        _ => (404, "text/plain", "404 page not found"),
    });
    let server = server.await.unwrap();
    let fault = dial(target(&server.url(), Kind::Litellm, None)).await.err().unwrap();
    assert_eq!(fault.code(), Code::WrongProgram);
    assert!(fault.message().contains("Ollama") && fault.fix().contains("kind: openai"), "{fault}");
    let line = dial(target(&server.url(), Kind::Openai, None)).await.unwrap();
    assert_eq!(line.identity.title.as_deref(), Some("Ollama"));
    assert_eq!(line.identity.version.as_deref(), Some("0.9.9"));
    assert_eq!(line.identity.models[..], ["llama3"]);
}

#[tokio::test]
async fn an_ollama_tells_what_it_has_loaded_and_one_that_does_not_is_well_all_the_same() {
    for (running, loaded) in [
        (
            (200, JSON, r#"{"models":[{"name":"llama3","size_vram":5137025024}]}"#),
            Some(vec!["llama3".to_owned()]),
        ),
        ((200, JSON, r#"{"models":[]}"#), Some(Vec::new())),
        ((404, "text/plain", "404 page not found"), None),
    ] {
        let server = stranger(move |path, _| match path {
            "/v1/models" => (200, JSON, LISTING),
            "/api/ps" => running,
            _ => (404, "text/plain", "404 page not found"),
        });
        let server = server.await.unwrap();
        let line = dial(target(&server.url(), Kind::Openai, None)).await.unwrap();
        assert_eq!(line.session.probe().await.unwrap().loaded, loaded);
    }
}

#[tokio::test]
async fn a_guarded_openai_server_wants_its_key() {
    let server = stranger(|path, keyed| match (path, keyed) {
        ("/v1/models", true) => (200, JSON, LISTING),
        ("/v1/models", false) => (401, JSON, GUARD),
        _ => (404, "text/plain", ""),
    });
    let server = server.await.unwrap();
    let fault = dial(target(&server.url(), Kind::Openai, None)).await.err().unwrap();
    assert_eq!(fault.code(), Code::AuthRequired);
    dial(target(&server.url(), Kind::Openai, Some("sk-right"))).await.unwrap();
}

#[tokio::test]
async fn a_wrong_key_shows_although_the_list_is_open() {
    let server = stranger(|path, keyed| match (path, keyed) {
        ("/v1/models", true) => (401, JSON, GUARD),
        ("/v1/models", false) => (200, JSON, LISTING),
        _ => (404, "text/plain", ""),
    });
    let server = server.await.unwrap();
    let fault = dial(target(&server.url(), Kind::Openai, Some("sk-wrong"))).await.err().unwrap();
    assert_eq!(fault.code(), Code::AuthWrong);
}

#[tokio::test]
async fn a_server_that_loads_is_waited_for() {
    let server =
        stranger(|_, _| (503, JSON, r#"{"error":{"code":503,"message":"Loading model"}}"#)).await.unwrap();
    let fault = dial(target(&server.url(), Kind::Openai, None)).await.err().unwrap();
    assert_eq!(fault.code(), Code::Loading);
}

#[tokio::test]
async fn a_gateway_in_front_of_a_dead_server_is_no_stranger() {
    let server = stranger(|_, _| (502, HTML, "<html>502 Bad Gateway</html>")).await.unwrap();
    for kind in [Kind::Litellm, Kind::Openai] {
        let fault = dial(target(&server.url(), kind, None)).await.err().unwrap();
        assert_eq!(fault.code(), Code::ProxyInTheWay, "{kind}");
    }
}

#[tokio::test]
async fn litellm_is_an_openai_server_too() {
    let sim = sim().await;
    let line = dial(target(&sim.url(), Kind::Openai, Some(sim.key()))).await.unwrap();
    assert_eq!(line.identity.models.len(), 16);
}

#[tokio::test]
async fn a_key_without_rights_to_the_details_connects() {
    let sim = sim().await;
    for path in ["/model/info", "/health/readiness/details"] {
        sim.trouble(path, None, backline::sim::Act::Answer(StatusCode::FORBIDDEN, "{}".to_owned()));
    }
    let line = line(&sim).await;
    assert_eq!(line.identity.version, None);
    assert_eq!(
        line.identity.capabilities,
        [Capability::TextChat, Capability::TextEmbed, Capability::ImageGenerate, Capability::AudioTranscribe],
        "by their names"
    );
}
