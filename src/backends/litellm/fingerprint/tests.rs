use super::*;
use crate::backends::litellm::recordings::{answer, recorded};

fn page(head: &str, body: &str) -> Answer {
    answer(&format!("HTTP/1.1 {head}\n\n{body}"))
}

#[test]
fn litellm_is_told_by_its_liveliness() {
    assert!(is_litellm(&recorded!("key_get_health_liveliness")));
    for no in [
        page("200 OK", "I'm alive!"),
        page("200 OK", "\"ok\""),
        page("404 Not Found", "\"I'm alive!\""),
        page("200 OK\ncontent-type: text/html", "<html></html>"),
        recorded!("unknown_path"),
    ] {
        assert!(!is_litellm(&no), "{no:?}");
    }
}

#[test]
fn a_list_of_models_is_looked_at_without_a_key() {
    assert!(matches!(look(&recorded!("key_get_v1_models")), Look::Open(_)));
    assert!(matches!(look(&recorded!("prisma_noauth_models")), Look::Guarded));
    assert!(matches!(look(&recorded!("key_noauth_v1_models")), Look::Strange), "a bare 500 is nobody's sign");
    assert!(matches!(look(&recorded!("unknown_path")), Look::Strange));
    let loading = r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#;
    assert!(matches!(look(&page("503 X", loading)), Look::Loading));
    assert!(matches!(look(&page("401 X\ncontent-type: text/html", "<html>")), Look::Strange));
    let gradio = r#"{"detail":{"error":"Not authenticated","auth_message":null}}"#;
    assert!(matches!(look(&page("401 X", gradio)), Look::Strange));
}

#[test]
fn families_give_themselves_away() {
    let family_of = |head: &str, owner: &str| {
        let body = format!(r#"{{"object":"list","data":[{{"id":"a","owned_by":"{owner}"}}]}}"#);
        let answer = page(head, &body);
        let Look::Open(listing) = look(&answer) else { panic!("{answer:?}") };
        family(&answer, &listing)
    };
    assert_eq!(family_of("200 OK", "vllm"), Some("vLLM"));
    assert_eq!(family_of("200 OK", "library"), Some("Ollama"));
    assert_eq!(family_of("200 OK", "organization_owner"), Some("LM Studio"));
    assert_eq!(family_of("200 OK\nserver: llama.cpp", "x"), Some("llama.cpp"));
    assert_eq!(family_of("200 OK\nx-litellm-version: 1.106.2", "openai"), Some("LiteLLM"));
    assert_eq!(family_of("200 OK", "openai"), None);
}

#[test]
fn a_stranger_is_named_as_well_as_it_can_be() {
    let name = |head: &str, body: &str| name_of(&page(head, body), Kind::Litellm);
    assert_eq!(name("200 OK", "<!doctype html><head><title>ComfyUI</title>"), "ComfyUI");
    assert_eq!(
        name("200 OK", "<script>window.gradio_config = {}</script><title>Gradio</title>"),
        "a Gradio app"
    );
    assert_eq!(name("200 OK", "Ollama is running"), "Ollama");
    assert_eq!(name("200 OK", "<title>Welcome to nginx!</title>"), "a bare nginx");
    assert_eq!(name("200 OK", "<title>\n My NAS </title>"), "a web page titled `My NAS`");
    assert_eq!(name("404 X\nserver: Apache/2.4", "{}"), "a server that calls itself `Apache/2.4`");
    assert_eq!(
        name("302 X\nlocation: https://sso.example/login?token=abc", ""),
        "a server that redirects to https://sso.example/login"
    );
    assert_eq!(name("404 X", ""), "another program");
}
