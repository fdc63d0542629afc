//! Requests to endpoints that the session does not know.

use std::time::Duration;

use backline::{
    backends::{Session as _, litellm::RawRequest},
    model::{Code, Fault},
    sim::Act,
};
use http::StatusCode;
use serde_json::json;

use super::rig::{line, sim};

#[tokio::test]
async fn an_answer_comes_back_as_it_is_with_the_key_on_the_question() {
    let sim = sim().await;
    let line = line(&sim).await;
    let request =
        RawRequest::post("v1/embeddings", &json!({ "model": "embed", "input": "x", "odd": 1 })).unwrap();
    let request =
        request.query("trace", "a b&c").unwrap().header("x-mine".parse().unwrap(), "1".parse().unwrap());
    let answer = line.session.raw(request.unwrap()).await.unwrap();
    assert_eq!(
        (answer.status, answer.headers["content-type"].as_bytes()),
        (StatusCode::OK, &b"application/json"[..])
    );
    assert!(answer.body.starts_with(b"{\"model\":\"embed\""));
    let seen = sim.seen().pop().unwrap();
    assert_eq!(
        (seen.path.as_str(), seen.headers["x-mine"].as_bytes()),
        ("/v1/embeddings?trace=a+b%26c", &b"1"[..])
    );
    assert_eq!(seen.headers["authorization"], format!("Bearer {}", sim.key()));
    let answer = line.session.raw(RawRequest::get("/v1/nope").unwrap()).await.unwrap();
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "the status is the caller's");
    assert_eq!(line.session.in_flight(), 0);
}

#[tokio::test]
async fn it_is_capped_bounded_and_ends_with_the_session() {
    let sim = sim().await;
    let line = line(&sim).await;
    let models = || RawRequest::get("v1/models").unwrap();
    assert_eq!(line.session.raw(models().cap(10)).await.unwrap_err().code(), Code::TooLarge);
    sim.trouble("/v1/models", Some(1), Act::Delay(Duration::from_secs(30)));
    let fault = line.session.raw(models().limit(Duration::from_millis(50))).await.unwrap_err();
    assert_eq!(fault.code(), Code::RequestTimeout);
    line.session.end(Fault::new(Code::Closing, "over"));
    assert_eq!(line.session.raw(models()).await.unwrap_err().code(), Code::Closing);
}
