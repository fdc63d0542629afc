//! The configuration over HTTP: seen, checked, changed, taken back, imported; secrets go in and stay in.

use backline::{
    Supervisor,
    config::Loader,
    sim::litellm::{Options, SimLitellm},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::Api;

const CONFIG: &str = "/api/v1/config";

fn value<'a>(config: &'a Value, path: &str) -> Option<&'a Value> {
    config["values"].as_array().unwrap().iter().find(|row| row["path"] == path)
}

#[tokio::test]
async fn an_edit_is_previewed_made_shown_with_what_it_masks_and_taken_back() {
    let api = Api::start().await;
    let change = json!({ "log.files": 7, "backends.a": { "kind": "openai", "url": "http://127.0.0.1:1", "api_key": "sk-secret" } });
    let (_, preview) =
        api.ask(Method::POST, &format!("{CONFIG}/check"), Some(json!({ "change": change }))).await;
    assert_eq!(preview["problems"], json!([]), "{preview}");
    assert_eq!(preview["backends"]["added"], json!(["a"]));
    assert!(
        preview["values"].as_array().unwrap().iter().any(|v| v["path"] == "log.files" && v["new"] == "7"),
        "{preview}"
    );
    assert!(!preview.to_string().contains("sk-secret"));
    let (_, tag, before) = api.under(None, Method::GET, CONFIG, Value::Null).await;
    assert_eq!(before["edited"], json!([]), "a preview changed something");
    let (status, _, _) = api.under(Some("\"other\""), Method::PATCH, CONFIG, change.clone()).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    let (status, after, made) = api.under(Some(&tag), Method::PATCH, CONFIG, change).await;
    assert_eq!((status, &made["added"]), (StatusCode::OK, &json!(["a"])), "{made}");
    let (_, now, shown) = api.under(None, Method::GET, CONFIG, Value::Null).await;
    assert_eq!((&now, shown["undo"].as_u64()), (&after, Some(1)));
    assert!(!shown.to_string().contains("sk-secret"), "a secret came out");
    let row = value(&shown, "log.files").unwrap();
    assert_eq!((row["value"].as_u64(), row["source"].as_str()), (Some(7), Some("api")));
    let (status, _, _) = api.under(None, Method::POST, &format!("{CONFIG}/undo"), Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _, error) = api.under(None, Method::POST, &format!("{CONFIG}/undo"), Value::Null).await;
    assert_eq!((status, error["error"]["code"].as_str()), (StatusCode::CONFLICT, Some("nothing_to_undo")));
    assert!(api.supervisor.config().backends.is_empty());
}

#[tokio::test]
async fn all_edits_are_replaced_under_a_tag_and_a_hidden_secret_stays_what_it_is() {
    let api = Api::start().await;
    let backend = json!({ "id": "a", "kind": "openai", "url": "http://127.0.0.1:1", "api_key": "sk-secret" });
    let (status, _) = api.ask(Method::POST, "/api/v1/backends", Some(backend)).await;
    assert_eq!(status, StatusCode::CREATED);
    let whole = json!({ "edits": {
        "backends.a.kind": "openai", "backends.a.url": "http://127.0.0.1:2", "backends.a.api_key": "(hidden)" } });
    let (status, _, error) = api.under(None, Method::PUT, CONFIG, whole.clone()).await;
    assert_eq!(
        (status, error["error"]["code"].as_str()),
        (StatusCode::PRECONDITION_FAILED, Some("no_if_match"))
    );
    let (_, tag, _) = api.under(None, Method::GET, CONFIG, Value::Null).await;
    let (status, _, made) = api.under(Some(&tag), Method::PUT, CONFIG, whole).await;
    assert_eq!((status, &made["changed"][0]["how"]), (StatusCode::OK, &json!("anew")), "{made}");
    let config = api.supervisor.config();
    assert_eq!(config.backends["a"].url.port(), 2);
    let key = config.backends["a"].api_key.as_ref().expect("the key is gone");
    assert_eq!(secrecy::ExposeSecret::expose_secret(&key.resolve(&|_| None).unwrap()), "sk-secret");
    let (status, _, _) = api.under(None, Method::DELETE, CONFIG, Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    assert!(api.supervisor.config().backends.is_empty());
}

#[tokio::test]
async fn every_problem_is_told_at_once_with_its_path_and_nothing_happens() {
    let api = Api::start().await;
    let bad = json!({ "log.files": "many", "backends.a.kind": "openai", "backends.a.url": "ftp://x", "nothing.here": 1 });
    let (status, error) = api.ask(Method::PATCH, CONFIG, Some(bad.clone())).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let paths: Vec<_> =
        error["error"]["detail"].as_array().unwrap().iter().map(|p| p["path"].as_str().unwrap()).collect();
    for path in ["log.files", "backends.a.url", "nothing.here"] {
        assert!(paths.contains(&path), "{path} is not told: {paths:?}");
    }
    let (status, preview) =
        api.ask(Method::POST, &format!("{CONFIG}/check"), Some(json!({ "change": bad }))).await;
    assert_eq!((status, preview["problems"].as_array().unwrap().len()), (StatusCode::OK, paths.len()));
    assert!(api.supervisor.edits().is_empty());
}

#[tokio::test]
async fn a_preset_that_the_user_saved_is_offered_and_used_like_the_others() {
    let own = tempfile::tempdir().unwrap();
    let text = r#"(backends: { "mine": (kind: comfyui, url: "http://127.0.0.1:1") })"#;
    std::fs::write(own.path().join("mine.ron"), text).unwrap();
    std::fs::write(own.path().join("no preset.ron"), text).unwrap();
    let loader = Loader::new().directory("/nowhere");
    let api = Api::over(Supervisor::builder().loader(loader).presets_dir(own.path())).await;
    let (_, presets) = api.ask(Method::GET, &format!("{CONFIG}/presets"), None).await;
    let saved: Vec<_> =
        presets["presets"].as_array().unwrap().iter().filter(|p| p["source"] == "saved").collect();
    assert_eq!(saved.len(), 1, "{presets}");
    assert_eq!((&saved[0]["name"], &saved[0]["text"]), (&json!("mine"), &json!(text)));
    let body = json!({ "preset": "mine" });
    let (status, preview) = api.ask(Method::POST, &format!("{CONFIG}/check"), Some(body.clone())).await;
    assert_eq!((status, &preview["backends"]["added"]), (StatusCode::OK, &json!(["mine"])));
    let (status, made) = api.ask(Method::POST, &format!("{CONFIG}/import"), Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    assert!(api.supervisor.config().backends.keys().any(|id| id.as_str() == "mine"));
}

#[tokio::test]
async fn the_configuration_is_saved_as_a_preset_and_erased_again() {
    let own = tempfile::tempdir().unwrap();
    let place = own.path().join("presets");
    let loader = Loader::new().directory("/nowhere");
    let api = Api::over(Supervisor::builder().loader(loader).presets_dir(&place)).await;
    let backend =
        json!({ "id": "mine", "kind": "openai", "url": "http://127.0.0.1:1", "api_key": "sk-secret" });
    api.ask(Method::POST, "/api/v1/backends", Some(backend)).await;
    let at = |name: &str| format!("{CONFIG}/presets/{name}");
    // The second is in place of the first.
    for _ in 0..2 {
        let (status, kept) = api.ask(Method::PUT, &at("home-2"), None).await;
        assert_eq!((status, &kept["name"]), (StatusCode::OK, &json!("home-2")), "{kept}");
        assert_eq!(kept["variables"].as_array().unwrap().len(), 1, "{kept}");
    }
    let (_, presets) = api.ask(Method::GET, &format!("{CONFIG}/presets"), None).await;
    let saved: Vec<_> =
        presets["presets"].as_array().unwrap().iter().filter(|p| p["source"] == "saved").collect();
    assert_eq!((saved.len(), &saved[0]["name"]), (1, &json!("home-2")), "{presets}");
    let text = saved[0]["text"].as_str().unwrap();
    assert!(text.contains("\"mine\"") && !text.contains("sk-secret"), "{text}");
    for (name, status, code) in [
        ("No%20name", StatusCode::BAD_REQUEST, "bad_name"),
        ("..%2Fup", StatusCode::BAD_REQUEST, "bad_name"),
        ("two-gpus", StatusCode::CONFLICT, "name_taken"),
        ("save", StatusCode::CONFLICT, "name_taken"),
    ] {
        for method in [Method::PUT, Method::DELETE] {
            let (got, error) = api.ask(method, &at(name), None).await;
            assert_eq!((got, error["error"]["code"].as_str()), (status, Some(code)), "{name}: {error}");
        }
    }
    assert_eq!(api.ask(Method::DELETE, &at("home-2"), None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(api.ask(Method::DELETE, &at("home-2"), None).await.0, StatusCode::NOT_FOUND);
    for n in 0..100 {
        std::fs::write(place.join(format!("p{n}.ron")), "()").unwrap();
    }
    let (status, error) = api.ask(Method::PUT, &at("one-more"), None).await;
    assert_eq!((status, error["error"]["code"].as_str()), (StatusCode::CONFLICT, Some("too_many")));
    assert_eq!(api.ask(Method::PUT, &at("p7"), None).await.0, StatusCode::OK, "it takes no more room");
    // A disk that refuses: where the directory was there is a file.
    std::fs::remove_dir_all(&place).unwrap();
    std::fs::write(&place, "").unwrap();
    let (status, error) = api.ask(Method::PUT, &at("home-2"), None).await;
    assert_eq!(
        (status, error["error"]["code"].as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, Some("disk")),
        "{error}"
    );
    let (status, error) = Api::start().await.ask(Method::PUT, &at("home-2"), None).await;
    assert_eq!((status, error["error"]["code"].as_str()), (StatusCode::CONFLICT, Some("no_presets")));
}

#[tokio::test]
async fn a_preset_is_imported_exported_and_taken_back() {
    let api = Api::start().await;
    let (_, presets) = api.ask(Method::GET, &format!("{CONFIG}/presets"), None).await;
    assert!(presets["presets"].as_array().unwrap().iter().any(|p| p["name"] == "two-gpus"));
    let import = format!("{CONFIG}/import");
    let (status, made) = api.ask(Method::POST, &import, Some(json!({ "preset": "two-gpus" }))).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let backends = api.supervisor.config().backends.len();
    assert!(backends >= 2);
    let (_, exported) = api.ask(Method::GET, &format!("{CONFIG}/export"), None).await;
    let text = exported["text"].as_str().unwrap();
    let (status, _) = api.ask(Method::POST, &import, Some(json!({ "text": text }))).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        api.supervisor.config().backends.len(),
        backends,
        "an export does not come back as it went: {text}"
    );
    for (body, code) in [
        (json!({ "preset": "nobody" }), "bad_body"),
        (json!({ "preset": "../mine" }), "bad_body"),
        (json!({ "text": "(log: 5)" }), "config_invalid"),
        (json!({ "text": "(extends: \"/etc/passwd\")" }), "config_invalid"),
        (json!({}), "bad_body"),
    ] {
        let (status, error) = api.ask(Method::POST, &import, Some(body)).await;
        assert_eq!((status, error["error"]["code"].as_str()), (StatusCode::BAD_REQUEST, Some(code)));
    }
}

#[tokio::test]
async fn a_candidate_and_a_changed_backend_are_tested_and_nothing_is_changed() {
    let sim = SimLitellm::start(Options::default()).await.unwrap();
    let api = Api::start().await;
    let url = format!("http://127.0.0.1:{}", sim.port());
    let stages = |report: &Value| {
        let stages = report["stages"].as_array().unwrap();
        stages.iter().map(|s| (s["stage"].as_str().unwrap().to_owned(), s["ok"] == true)).collect::<Vec<_>>()
    };
    let candidate = |key: &str| json!({ "kind": "litellm", "url": url, "api_key": key });
    let begun = tokio::time::Instant::now();
    let (status, report) = api.ask(Method::POST, "/api/v1/probe", Some(candidate(sim.key()))).await;
    assert_eq!((status, report["ok"].as_bool()), (StatusCode::OK, Some(true)), "{report}");
    let all = ["dns", "tcp", "http", "api", "auth", "capability"].map(|stage| (stage.to_owned(), true));
    assert_eq!(stages(&report), all);
    // Each has its own time: together they are no longer than the whole.
    let each: f64 =
        report["stages"].as_array().unwrap().iter().map(|stage| stage["ms"].as_f64().unwrap()).sum();
    let whole = begun.elapsed().as_secs_f64() * 1_000.0;
    assert!(each <= whole, "{each} ms of {whole} ms: {report}");
    let (_, report) = api.ask(Method::POST, "/api/v1/probe", Some(candidate("sk-wrong"))).await;
    assert_eq!(stages(&report).last(), Some(&("auth".to_owned(), false)), "{report}");
    assert!(!report["stages"].as_array().unwrap().last().unwrap()["fix"].as_str().unwrap().is_empty());
    assert!(api.supervisor.config().backends.is_empty(), "a test changed something");
    let added = json!({ "id": "llm", "kind": "litellm", "url": "http://127.0.0.1:1", "api_key": sim.key() });
    api.ask(Method::POST, "/api/v1/backends", Some(added)).await;
    let (_, report) = api.ask(Method::POST, "/api/v1/backends/llm/test", None).await;
    assert_eq!(stages(&report).last(), Some(&("tcp".to_owned(), false)), "{report}");
    // The key that nobody sees any more goes with the new address.
    let (_, report) = api.ask(Method::POST, "/api/v1/backends/llm/test", Some(json!({ "url": url }))).await;
    assert_eq!(report["ok"], true, "{report}");
    let (status, _) = api.ask(Method::POST, "/api/v1/backends/nobody/test", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
