//! Sessions of the page: traded for a code, kept over a restart as hashes, ended by hand.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::{Api, READER, TOKEN};

async fn begin(api: &Api) -> String {
    let code = api.access.one_time_code();
    let (status, begun) =
        api.ask_as("", Method::POST, "/api/v1/session", Some(json!({ "code": code }))).await;
    assert_eq!(status, StatusCode::OK);
    let (again, _) = api.ask_as("", Method::POST, "/api/v1/session", Some(json!({ "code": code }))).await;
    assert_eq!(again, StatusCode::UNAUTHORIZED, "a code was good twice");
    begun["token"].as_str().unwrap().to_owned()
}

async fn admits(api: &Api, token: &str) -> bool {
    api.ask_as(token, Method::GET, "/api/v1/snapshot", None).await.0 == StatusCode::OK
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_survives_a_restart_and_a_revoked_one_stays_out() {
    let state = tempfile::tempdir().unwrap();
    let directory = state.path().join("state");
    let api = Api::keeping(&directory).await;
    let (stays, goes, ends) = (begin(&api).await, begin(&api).await, begin(&api).await);
    assert!(admits(&api, &stays).await && admits(&api, &goes).await && !admits(&api, "x").await);
    let (_, listed) = api.ask_as(&stays, Method::GET, "/api/v1/sessions", None).await;
    let sessions = listed["sessions"].as_array().unwrap();
    let current: Vec<_> = sessions.iter().map(|s| s["current"] == true).collect();
    assert_eq!(current, [true, false, false]);
    let named = format!("/api/v1/sessions/{}", sessions[1]["id"].as_str().unwrap());
    assert_eq!(api.ask(Method::DELETE, &named, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(api.ask(Method::DELETE, &named, None).await.0, StatusCode::NOT_FOUND);
    assert_eq!(api.ask_as(&ends, Method::DELETE, "/api/v1/session", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(api.ask(Method::DELETE, "/api/v1/session", None).await.0, StatusCode::NOT_FOUND);
    assert!(!admits(&api, &goes).await && !admits(&api, &ends).await);
    let Api { supervisor, server, .. } = api;
    drop(server);
    supervisor.shutdown(std::time::Duration::from_secs(5)).await;
    for file in std::fs::read_dir(&directory).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let found = bytes.windows(stays.len()).any(|part| part == stays.as_bytes());
        assert!(!found, "a session's token stands in {}", path.display());
    }
    let api = Api::keeping(&directory).await;
    assert!(admits(&api, &stays).await, "the page was logged out by a restart");
    assert!(!admits(&api, &goes).await && !admits(&api, &ends).await);
}

#[tokio::test]
async fn who_may_only_look_makes_no_code_and_ends_no_session() {
    let api = Api::start().await;
    let refused = |answer: (StatusCode, Value)| {
        assert_eq!(
            (answer.0, answer.1["error"]["code"].as_str()),
            (StatusCode::FORBIDDEN, Some("read_only"))
        );
    };
    refused(api.ask_as(READER, Method::POST, "/api/v1/session/code", None).await);
    refused(api.ask_as(READER, Method::DELETE, "/api/v1/sessions/x", None).await);
    let session = begin(&api).await;
    for (token, may, known) in [(READER, "look", false), (TOKEN, "change", false), (&session, "change", true)]
    {
        let (status, who) = api.ask_as(token, Method::GET, "/api/v1/session", None).await;
        assert_eq!((status, &who["may"]), (StatusCode::OK, &json!(may)));
        assert_eq!(who["session"]["current"] == true, known, "{who}");
    }
    assert!(admits(&api, READER).await && admits(&api, TOKEN).await);
}
