//! Pictures and sound, as jobs and directly.

use std::sync::Arc;

use backline::{
    backends::{
        Attempt, Finished, RemoteFile, Session as _, Setback,
        litellm::{Audio, ImageRequest, TranscribeRequest},
    },
    model::{Code, Kind, Work},
};
use futures_util::TryStreamExt;
use serde_json::{Value, json, value::to_raw_value};

use super::rig::{Line, attempt, dial, line, result, sim, stranger, target};
use crate::log::{Log, end};

fn image(body: Value) -> Attempt {
    Attempt { work: Work::Image(to_raw_value(&body).unwrap().into()), ..attempt("{}") }
}

fn transcribe(fields: Value) -> Attempt {
    Attempt { work: Work::Transcribe(to_raw_value(&fields).unwrap().into()), ..attempt("{}") }
}

async fn run(line: &Line, attempt: Attempt) -> Result<Finished, Setback> {
    end(line.run(attempt, &Arc::new(Log::default()))).await
}

async fn fetched(line: &Line, file: &RemoteFile, from: u64) -> Vec<u8> {
    let download = line.session.fetch(file.clone(), from).await.unwrap();
    assert_eq!(download.total, Some(67));
    let pieces: Vec<_> = download.bytes.try_collect().await.unwrap();
    pieces.concat()
}

#[tokio::test]
async fn pictures_in_an_answer_become_files() {
    let sim = sim().await;
    let line = line(&sim).await;
    let finished = run(&line, image(json!({ "prompt": "a dot", "n": 2 }))).await.unwrap();
    assert!(finished.notes[0].contains("`dall-e-3`"), "{:?}", finished.notes);
    assert_eq!(finished.files.len(), 2);
    assert!(finished.files[0].locator.len() < 100, "the bytes stay out of the journal");
    let document = result(&finished);
    assert_eq!(document["data"][0]["revised_prompt"], "a dot");
    assert!(document["data"][0].get("b64_json").is_none(), "{document}");
    assert_eq!(document["usage"]["total_tokens"], 7);

    let whole = fetched(&line, &finished.files[0], 0).await;
    assert_eq!(&whole[..4], b"\x89PNG");
    assert_eq!(fetched(&line, &finished.files[1], 60).await, whole[60..], "from the middle on");
    let again = line.session.fetch(finished.files[0].clone(), 0).await.err().unwrap();
    assert_eq!(again.code(), Code::NotFound, "what was fetched whole is let go");
    assert_eq!((sim.executions(), sim.finished(), line.session.in_flight()), (1, 1, 0));
}

#[tokio::test]
async fn a_picture_waits_for_the_next_session() {
    let sim = sim().await;
    let connector =
        backline::backends::connector_for(target(&sim.url(), Kind::Litellm, Some(sim.key()))).unwrap();
    let dialed = async || connector.dial(backline::model::Epoch::new(1)).await.unwrap().session;
    let first = dialed().await;
    let body = image(json!({ "prompt": "a dot" }));
    let finished = first.clone().run(body, Arc::new(Log::default())).await.unwrap();
    first.end(backline::model::Fault::new(Code::Closing, "over"));
    let download = dialed().await.fetch(finished.files[0].clone(), 0).await.unwrap();
    assert_eq!(download.total, Some(67));
    let stranger = line(&sim).await.session.fetch(finished.files[0].clone(), 0).await.err().unwrap();
    assert_eq!(stranger.code(), Code::NotFound, "another process has it not");
}

#[tokio::test]
async fn a_picture_at_an_address_is_fetched_there_without_the_key() {
    let sim = sim().await;
    let line = line(&sim).await;
    let body = json!({ "model": "dall-e-3", "prompt": "a dot", "response_format": "url" });
    let finished = run(&line, image(body)).await.unwrap();
    assert_eq!(&fetched(&line, &finished.files[0], 0).await[..4], b"\x89PNG");
    let seen = sim.seen();
    let asked = seen.iter().find(|seen| seen.path == "/pixel.png").unwrap();
    assert!(!asked.headers.contains_key("authorization"), "{:?}", asked.headers);
}

#[tokio::test]
async fn an_address_that_a_server_invents_is_not_asked() {
    let server = stranger(|path, _| match path {
        "/v1/models" => (200, "application/json", r#"{"object":"list","data":[{"id":"dall-e-3"}]}"#),
        "/v1/images/generations" => (
            200,
            "application/json",
            r#"{"data":[{"url":"http://169.254.169.254/latest/meta-data"},{"url":"https://10.0.0.1/x"}]}"#,
        ),
        _ => (404, "text/plain", ""),
    });
    let server = server.await.unwrap();
    let line = dial(target(&server.url(), Kind::Openai, None)).await.unwrap();
    let finished = run(&line, image(json!({ "prompt": "x" }))).await.unwrap();
    for file in finished.files {
        let fault = line.session.fetch(file, 0).await.err().unwrap();
        assert_eq!(fault.code(), Code::Protocol, "{fault:?}");
        assert!(fault.fix().contains("b64_json"), "{}", fault.fix());
    }
}

#[tokio::test]
async fn sound_becomes_text() {
    let sim = sim().await;
    let line = line(&sim).await;
    let home = tempfile::TempDir::new().unwrap();
    let file = home.path().join("speech.wav");
    std::fs::write(&file, vec![7; 200_000]).unwrap();
    let fields = json!({ "file": { "$file": file }, "language": "en", "temperature": 0.5 });
    let finished = run(&line, transcribe(fields)).await.unwrap();
    assert!(finished.notes[0].contains("`whisper-1`"), "{:?}", finished.notes);
    let document = result(&finished);
    assert_eq!(document["text"], "hello audio of 200000 bytes");
    assert_eq!(document["language"], "en");
    assert!(finished.files.is_empty());

    let audio = Audio::Bytes { name: "speech".to_owned(), bytes: b"RIFF0000WAVEfmt ".to_vec().into() };
    let request = TranscribeRequest::new(audio).model("whisper-1").set("response_format", &"text").unwrap();
    assert_eq!(line.session.transcribe(request).await.unwrap().text, "hello audio");
    assert_eq!(sim.executions(), 2);
}

#[tokio::test]
async fn how_each_fails() {
    let sim = sim().await;
    let line = line(&sim).await;
    let missing = json!({ "model": "whisper-1", "file": { "$file": "no/such/file.wav" } });
    for (attempt, code) in [
        (image(json!({ "model": "r429", "prompt": "x" })), Code::RateLimited),
        (image(json!({ "model": "nonexistent", "prompt": "x" })), Code::MissingModel),
        (image(json!({ "model": "dall-e-3" })), Code::BadRequest),
        (image(json!({ "prompt": "x", "api_base": "http://evil.example" })), Code::BadRequest),
        (transcribe(missing), Code::Disk),
        (transcribe(json!({ "model": "whisper-1" })), Code::BadRequest),
    ] {
        let ended = run(&line, attempt).await;
        let Err(Setback::Refused(fault) | Setback::Unsent(fault)) = ended else { panic!("{ended:?}") };
        assert_eq!(fault.code(), code, "{fault:?}");
    }
    assert_eq!(sim.executions(), 0, "all of it before anything ran");
    let ended = run(&line, image(json!({ "model": "r500", "prompt": "x" }))).await;
    assert!(matches!(ended, Err(Setback::Failed(_))), "{ended:?}");
    sim.trouble("/v1/images", Some(1), backline::sim::Act::Answer(http::StatusCode::OK, "{}".to_owned()));
    let ended = run(&line, image(json!({ "prompt": "x" }))).await;
    assert!(matches!(ended, Err(Setback::Uncertain(_))), "{ended:?}");
    sim.kill();
    let ended = run(&line, image(json!({ "prompt": "x" }))).await;
    assert!(matches!(ended, Err(Setback::Unsent(_))), "nothing left: {ended:?}");
}

#[tokio::test]
async fn what_was_used_is_counted_once() {
    let sim = sim().await;
    let line = line(&sim).await;
    line.chat(&super::rig::ask("stub")).await.0.unwrap();
    line.session.images(ImageRequest::new("a dot")).await.unwrap();
    line.chat(&super::rig::ask("r429")).await.0.unwrap_err();
    let used = line.session.tokens();
    assert_eq!((used.answers, used.prompt, used.completion), (2, 5 + 3, 4 + 4));
    assert_eq!(line.session.probe().await.unwrap().tokens, Some(line.session.backend_tokens()));
}
