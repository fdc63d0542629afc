use std::{path::PathBuf, sync::Arc};

use super::*;
use crate::config::Trust;
use crate::{
    model::{BackendId, Kind},
    net::{Address, Reuse},
};

const CANARY: &str = "sk-canary-7f3a";

fn backend(url: &str) -> BackendConfig {
    BackendConfig::new(BackendId::new("llm").unwrap(), Kind::Litellm, Address::parse(url).unwrap())
        .with_key(Secret::Env("KEY".to_owned()))
}

fn env(name: &str) -> Option<String> {
    (name == "KEY").then(|| CANARY.to_owned())
}

fn refusal(backend: &BackendConfig) -> String {
    let fault = backend.target_in(&env).expect_err("it was let through");
    assert_eq!(fault.code(), Code::BadConfig);
    let text = format!("{fault}. {}", fault.fix());
    assert!(!text.contains(CANARY) && !format!("{backend:?}").contains(CANARY));
    text
}

#[test]
fn the_secret_reaches_the_target_and_nothing_that_is_shown() {
    let backend = backend("http://127.0.0.1:4000");
    let target = backend.target_in(&env).unwrap();
    assert_eq!(target.http.key.as_ref().unwrap().expose_secret(), CANARY);
    assert!(!format!("{target:?}{backend:?}").contains(CANARY));
}

#[test]
fn a_missing_variable_is_named_with_its_setting() {
    let mut backend = backend("http://127.0.0.1:4000");
    backend.api_key = Some(Secret::Env("GONE".to_owned()));
    assert_eq!(
        refusal(&backend),
        "backend `llm`: `api_key`: the variable GONE is not set. Set GONE in the environment, or change `api_key`."
    );
}

#[test]
fn a_key_crosses_no_network_in_the_clear_unless_allowed() {
    let mut backend = backend("http://10.0.0.7:4000");
    assert!(refusal(&backend).contains("in the clear"));
    backend.danger_plain_key = true;
    assert!(backend.target_in(&env).is_ok());
    // What goes to this machine goes through no proxy.
    let mut local = self::backend("http://127.0.0.1:4000");
    local.proxy = Some(Secret::Inline("http://10.0.0.1:3128".into()));
    assert_eq!(local.target_in(&env).unwrap().client(Reuse::Long).unwrap().proxy(), None);
    backend.danger_plain_key = false;
    backend.proxy = local.proxy;
    assert!(refusal(&backend).contains("in the clear"));
}

#[test]
fn a_key_meets_no_unchecked_certificate_off_loopback() {
    let mut backend = backend("https://gpu.example");
    assert!(backend.target_in(&env).is_ok());
    backend.tls.danger_accept_invalid = true;
    assert!(refusal(&backend).contains("danger_accept_invalid"));
    backend.url = Address::parse("https://127.0.0.1:4000").unwrap();
    assert!(backend.target_in(&env).is_ok());
}

#[test]
fn a_file_that_nobody_named_sends_no_key_off_this_machine() {
    let trust = Trust::LoopbackOnly { file: Arc::new(PathBuf::from("./backline.ron")) };
    let mut remote = backend("https://gpu.example");
    remote.trust = trust.clone();
    assert!(refusal(&remote).contains("config trust"));
    remote.api_key = None;
    assert!(remote.target_in(&env).is_ok(), "without a key it may be looked at");
    remote.headers.insert(http::HeaderName::from_static("x-team"), Secret::Env("KEY".to_owned()));
    assert!(refusal(&remote).contains("headers.x-team"));
    let mut local = backend("http://127.0.0.1:4000");
    local.trust = trust;
    assert!(local.target_in(&env).is_ok());
}
