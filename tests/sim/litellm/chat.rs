//! Chats and embeddings as jobs.

use std::{sync::Arc, time::Duration};

use backline::{
    backends::{Attempt, Session as _, Setback, Start},
    model::{Code, Fault, Kind, Work},
    sim::Act,
};
use http::StatusCode;

use super::rig::{ask, attempt, dial, line, result, sim, stranger, target};
use crate::log::{Log, end};

#[tokio::test]
async fn a_chat_is_streamed_and_its_completion_put_together() {
    let sim = sim().await;
    let line = line(&sim).await;
    let (ended, log) = line.chat(&ask("stub")).await;
    let finished = ended.unwrap();
    assert!(log.started());
    assert_eq!(log.text(), "tok0 tok1 tok2 tok3 ");
    let completion = result(&finished);
    assert_eq!(completion["choices"][0]["message"]["content"], log.text());
    assert_eq!(completion["choices"][0]["finish_reason"], "stop");
    assert_eq!(completion["usage"]["total_tokens"], 9, "asked for by us");
    assert_eq!(completion["object"], "chat.completion");
    assert!(finished.notes.is_empty());
    assert_eq!((sim.executions(), sim.finished(), line.session.in_flight()), (1, 1, 0));
}

#[tokio::test]
async fn without_a_model_the_first_one_is_asked_and_named() {
    let sim = sim().await;
    let line = line(&sim).await;
    let finished = line.chat(r#"{"messages":[]}"#).await.0.unwrap();
    assert_eq!(result(&finished)["model"], "mock");
    assert!(finished.notes[0].contains("`mock`"), "{:?}", finished.notes);
    let body = serde_json::value::RawValue::from_string(r#"{"input":"abc"}"#.to_owned()).unwrap();
    let embed = Attempt { work: Work::Embed(body.into()), ..attempt("{}") };
    let finished = end(line.run(embed, &Arc::new(Log::default()))).await.unwrap();
    assert_eq!(result(&finished)["data"][0]["embedding"][2], 0.3);
    assert!(finished.notes[0].contains("`embed`"), "{:?}", finished.notes);
}

#[tokio::test]
async fn an_answer_of_nothing_is_noted() {
    let sim = sim().await;
    let line = line(&sim).await;
    let finished = line.chat(&ask("garbage")).await.0.unwrap();
    assert!(finished.notes[0].contains("empty"), "{:?}", finished.notes);
}

#[tokio::test]
async fn what_is_refused_before_it_ran_is_safe_to_send_again() {
    let sim = sim().await;
    let line = line(&sim).await;
    for (model, code) in
        [("r429", Code::RateLimited), ("r400", Code::BadRequest), ("nonexistent", Code::MissingModel)]
    {
        let Err(Setback::Refused(fault)) = line.chat(&ask(model)).await.0 else { panic!("{model}") };
        assert_eq!(fault.code(), code, "{model}");
        if model == "r429" {
            assert_eq!(fault.retry_after(), Some(Duration::from_secs(7)));
        }
    }
    assert_eq!(sim.executions(), 0);
}

#[tokio::test]
async fn what_ran_and_failed_is_final_and_keeps_its_words() {
    let sim = sim().await;
    let line = line(&sim).await;
    for (model, code, text) in [
        ("r500", Code::BackendError, ""),
        ("hang", Code::RequestTimeout, ""),
        ("midcut", Code::BackendError, "tok0 tok1 "),
        ("miderr", Code::BackendError, "tok0 tok1 "),
        ("midhang", Code::BackendError, "tok0 tok1 "),
    ] {
        let (ended, log) = line.chat(&ask(model)).await;
        let Err(Setback::Failed(fault)) = ended else { panic!("{model}: {ended:?}") };
        assert_eq!((fault.code(), log.text().as_str()), (code, text), "{model}");
    }
}

#[tokio::test]
async fn a_forbidden_field_is_refused_and_nothing_is_sent() {
    let sim = sim().await;
    let line = line(&sim).await;
    let before = sim.seen().len();
    let body = r#"{"model":"stub","messages":[],"api_base":"http://evil.example"}"#;
    let Err(Setback::Refused(fault)) = line.chat(body).await.0 else { panic!("sent") };
    assert_eq!(fault.code(), Code::BadRequest);
    assert_eq!(sim.seen().len(), before);
}

#[tokio::test]
async fn nothing_can_be_followed() {
    let sim = sim().await;
    let line = line(&sim).await;
    let before = sim.seen().len();
    let follow = Attempt { start: Start::Follow, ..attempt(&ask("stub")) };
    let ended = end(line.run(follow, &Arc::new(Log::default()))).await;
    assert!(matches!(ended, Err(Setback::Uncertain(_))), "{ended:?}");
    assert_eq!(sim.seen().len(), before);
}

#[tokio::test]
async fn a_cancel_ends_this_chat_and_no_other() {
    let sim = sim().await;
    let line = line(&sim).await;
    let (one, other) = (Arc::new(Log::default()), Arc::new(Log::default()));
    let first = attempt(&ask("midhang"));
    let remote = first.remote.clone();
    let first = line.run(first, &one);
    let second = line.run(attempt(&ask("stub")), &other);
    one.until_text("tok1").await;
    line.session.cancel(remote.clone()).await.unwrap();
    assert!(matches!(end(first).await, Err(Setback::Cancelled)));
    assert!(end(second).await.is_ok());
    assert_eq!(line.session.cancel(remote).await.unwrap_err().code(), Code::NotFound, "it is over");
    assert_eq!(line.session.in_flight(), 0);
}

#[tokio::test]
async fn the_sessions_end_ends_what_waits_on_it() {
    let sim = sim().await;
    let line = line(&sim).await;
    let log = Arc::new(Log::default());
    let run = line.run(attempt(&ask("midhang")), &log);
    log.until_text("tok1").await;
    line.session.end(Fault::new(Code::Closing, "over"));
    let Err(Setback::Uncertain(fault)) = end(run).await else { panic!("not uncertain") };
    assert_eq!(fault.code(), Code::Closing);
    let Err(Setback::Unsent(fault)) = line.chat(&ask("stub")).await.0 else { panic!("begun") };
    assert_eq!(fault.code(), Code::Closing, "nothing new begins");
    assert_eq!(line.session.probe().await.unwrap_err().code(), Code::Closing);
}

#[tokio::test]
async fn a_server_that_cannot_tell_the_usage_is_asked_without() {
    let sim = sim().await;
    let line = line(&sim).await;
    let unknown = r#"{"error":{"message":"Unrecognized request argument supplied: stream_options"}}"#;
    sim.trouble("/v1/chat", Some(1), Act::Answer(StatusCode::BAD_REQUEST, unknown.to_owned()));
    assert!(line.chat(&ask("stub")).await.0.is_ok());
    assert_eq!(sim.executions(), 1);
    // Where the caller asked for it himself, the refusal is his answer.
    sim.trouble("/v1/chat", Some(1), Act::Answer(StatusCode::BAD_REQUEST, unknown.to_owned()));
    let own = r#"{"model":"stub","messages":[],"stream_options":{"include_usage":true}}"#;
    assert!(matches!(line.chat(own).await.0, Err(Setback::Refused(_))));
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let server = stranger(|path, _| match path {
        "/v1/models" => (200, "application/json", r#"{"object":"list","data":[{"id":"a"}]}"#),
        "/v1/chat/completions" => (
            200,
            "application/json; charset=utf-8",
            r#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"whole"},"finish_reason":"stop"}]}"#,
        ),
        _ => (404, "text/plain", ""),
    });
    let server = server.await.unwrap();
    let line = dial(target(&server.url(), Kind::Openai, None)).await.unwrap();
    let (ended, log) = line.chat(&ask("a")).await;
    assert_eq!(result(&ended.unwrap())["choices"][0]["message"]["content"], "whole");
    assert_eq!(log.text(), "whole");
}

#[tokio::test]
async fn a_web_page_is_no_answer() {
    let server = stranger(|path, _| match path {
        "/v1/models" => (200, "application/json", r#"{"object":"list","data":[{"id":"a"}]}"#),
        "/v1/chat/completions" => (200, "text/html", "<html>log in</html>"),
        _ => (404, "text/plain", ""),
    });
    let server = server.await.unwrap();
    let line = dial(target(&server.url(), Kind::Openai, None)).await.unwrap();
    let Err(Setback::Uncertain(fault)) = line.chat(&ask("a")).await.0 else { panic!("taken for an answer") };
    assert_eq!(fault.code(), Code::Protocol);
}
