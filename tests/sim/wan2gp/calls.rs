//! Generations from their request to their files.

use backline::{
    backends::{Download, RemoteFile, Report, Session as _, Setback},
    model::Code,
    sim::{Act, wan2gp::SimWan2gp},
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::rig::{Line, attempt, sim};
use crate::log::{Log, end};

async fn read(line: &Line, file: &RemoteFile, from: u64) -> (u64, Option<u64>, Vec<u8>) {
    let Download { total, offset, bytes } = line.session.fetch(file.clone(), from).await.unwrap();
    let chunks: Vec<Bytes> = bytes.boxed().try_collect().await.unwrap();
    (offset, total, chunks.concat())
}

#[tokio::test]
async fn a_generation_shows_its_progress_and_leaves_its_file() {
    let sim = sim(60).await;
    let (_, line) = Line::to(&sim).await;
    let settings = json!({ "model_type": "t2v", "prompt": "a cat", "num_inference_steps": 8 });
    let (ended, log) = line.generate(settings).await;
    let finished = ended.unwrap();
    let reports = log.all();
    assert!(matches!(&reports[0], Report::Accepted { remote } if remote.len() == 32), "{reports:?}");
    assert!(matches!(reports[1], Report::Started), "{reports:?}");
    let steps = log.progress();
    assert!(steps.len() >= 3 && steps.is_sorted_by_key(|p| p.value), "{steps:?}");
    let last = steps.last().unwrap();
    assert_eq!((last.value, last.max, last.node.as_deref()), (85.0, Some(100.0), Some("inference")));
    assert_eq!(last.message.as_deref(), Some("Prompt 1/1 | Denoising 8/8"));
    let [file] = &finished.files[..] else { panic!("{finished:?}") };
    assert!(file.name.ends_with(".mp4") && file.locator.starts_with("visual:"), "{file:?}");
    let (offset, total, whole) = read(&line, file, 0).await;
    assert_eq!((offset, total, whole.len()), (0, Some(65_536), 65_536));
    // A token is of single use: each look at the file has its own.
    let (offset, total, rest) = read(&line, file, 65_000).await;
    assert_eq!((offset, total), (65_000, Some(65_536)));
    assert_eq!(rest, whole[65_000..]);
    assert_eq!(read(&line, file, 65_536).await.2, b"");
    assert_eq!((sim.executions(), sim.finished()), (1, 1));
}

#[tokio::test]
async fn every_kind_of_model_leaves_its_kind_of_file() {
    let sim = sim(1).await;
    let (_, line) = Line::to(&sim).await;
    for (model, magic) in [("flux", &b"\x89PNG"[..]), ("ace_step", b"RIFF"), ("i2v", b"\x00\x00\x00\x18ftyp")]
    {
        let (ended, _) = line.generate(json!({ "model_type": model, "prompt": "x" })).await;
        let finished = ended.unwrap();
        assert!(read(&line, &finished.files[0], 0).await.2.starts_with(magic), "{model}");
    }
}

#[tokio::test]
async fn a_file_of_ours_goes_to_the_gallery_and_its_id_into_the_settings() {
    let sim = sim(1).await;
    let (_, line) = Line::to(&sim).await;
    let home = TempDir::new().unwrap();
    let path = home.path().join("start.png");
    std::fs::write(&path, b"\x89PNG\r\n\x1a\n and more").unwrap();
    let settings = json!({ "model_type": "i2v", "prompt": "x", "image_start": { "$file": &path } });
    let (ended, _) = line.generate(settings).await;
    let result: Value = serde_json::from_str(ended.unwrap().result.unwrap().get()).unwrap();
    let sent = &result["gallery_items"][0]["settings"]["image_start"];
    assert!(sent.as_str().unwrap().starts_with("visual:"), "{sent}");
    assert!(sim.seen().iter().any(|s| s.method == http::Method::PUT));

    std::fs::write(&path, "no picture").unwrap();
    let settings = json!({ "model_type": "i2v", "image_start": { "$file": &path } });
    let refused = |ended| match ended {
        Err(Setback::Refused(fault) | Setback::Unsent(fault)) => fault,
        other => panic!("{other:?}"),
    };
    let fault: backline::model::Fault = refused(line.generate(settings).await.0);
    assert!(fault.code() == Code::BadRequest && fault.message().contains("cannot identify"), "{fault:?}");
    let fault = refused(line.generate(json!({ "image_start": { "$file": "/nowhere/x.png" } })).await.0);
    assert_eq!(fault.code(), Code::Disk);
    let fault = refused(line.generate(json!({ "image_start": "/etc/passwd" })).await.0);
    assert!(fault.code() == Code::BadRequest && fault.fix().contains("$file"), "{fault:?}");
    let fault = refused(line.generate(json!("a cat")).await.0);
    assert!(fault.fix().contains("model_type"), "{fault:?}");
    assert_eq!(sim.executions(), 1);
}

#[tokio::test]
async fn failures_are_told_apart() {
    let sim = sim(1).await;
    let (_, line) = Line::to(&sim).await;
    for (prompt, code) in
        [("fail", Code::ExecutionFailed), ("oom", Code::OutOfMemory), ("invalid", Code::BadRequest)]
    {
        let (ended, _) = line.generate(json!({ "model_type": "t2v", "prompt": prompt })).await;
        let Err(Setback::Failed(fault)) = ended else { panic!("{prompt}: {ended:?}") };
        assert_eq!(fault.code(), code, "{fault:?}");
    }
}

#[tokio::test]
async fn a_second_generation_is_refused_and_may_be_sent_again() {
    let sim = sim(200).await;
    let (_, line) = Line::to(&sim).await;
    let log = std::sync::Arc::new(Log::default());
    let first = line.run(attempt(&json!({ "prompt": "one" })), &log);
    log.until_value(10.0).await;
    let (second, _) = line.generate(json!({ "prompt": "two" })).await;
    let Err(Setback::Refused(fault)) = second else { panic!("{second:?}") };
    assert!(fault.code() == Code::QueueFull && fault.is_retryable(), "{fault:?}");
    assert!(end(first).await.is_ok());
    assert_eq!(sim.executions(), 1);
}

async fn cancelled(sim: &SimWan2gp, ended: Result<backline::backends::Finished, Setback>) {
    assert!(matches!(ended, Err(Setback::Cancelled)), "{ended:?}");
    assert_eq!(sim.finished(), 0);
}

#[tokio::test]
async fn a_cancel_ends_the_job_by_our_id_and_by_the_servers() {
    for by_theirs in [false, true] {
        let sim = sim(300).await;
        let (_, line) = Line::to(&sim).await;
        let (log, attempt) = (std::sync::Arc::new(Log::default()), attempt(&json!({ "prompt": "x" })));
        let run = line.run(attempt.clone(), &log);
        log.until_value(10.0).await;
        let id = if by_theirs { log.accepted().unwrap() } else { attempt.remote };
        line.session.cancel(id).await.unwrap();
        cancelled(&sim, end(run).await).await;
    }
}

#[tokio::test]
async fn a_cancel_before_the_answer_reaches_the_job_all_the_same() {
    let sim = sim(300).await;
    let (_, line) = Line::to(&sim).await;
    let (log, attempt) = (std::sync::Arc::new(Log::default()), attempt(&json!({ "prompt": "x" })));
    sim.trouble("/mcp/", Some(1), Act::Delay(std::time::Duration::from_millis(300)));
    let before = sim.seen().len();
    let run = line.run(attempt.clone(), &log);
    while sim.seen().len() == before {
        tokio::task::yield_now().await;
    }
    line.session.cancel(attempt.remote).await.unwrap();
    cancelled(&sim, end(run).await).await;
    let unknown = line.session.cancel("nobody".into()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let unknown = line.session.cancel("0".repeat(32)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Lost);
}

#[tokio::test]
async fn strange_answers_to_a_look_do_not_end_a_job() {
    let sim = sim(100).await;
    let (_, line) = Line::to(&sim).await;
    let log = std::sync::Arc::new(Log::default());
    let run = line.run(attempt(&json!({ "prompt": "x" })), &log);
    log.until_value(10.0).await;
    for (status, body) in [
        (200, "{}"),
        (200, "<html>"),
        (200, r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":false}}"#),
        (500, "x"),
        (502, "x"),
        (404, "x"),
        (406, "x"),
    ] {
        sim.trouble("/mcp/", Some(1), Act::Answer(StatusCode::from_u16(status).unwrap(), body.into()));
    }
    let ended = end(run).await;
    assert_eq!(ended.unwrap().files.len(), 1);
}

#[tokio::test]
async fn a_file_that_is_not_in_the_gallery_is_a_fault_with_a_remedy() {
    let sim = sim(1).await;
    let (_, line) = Line::to(&sim).await;
    let file = |locator: &str| RemoteFile {
        name: "x.mp4".into(),
        claimed_type: None,
        slot: "generated_files/0".into(),
        locator: locator.into(),
    };
    for locator in ["", "visual:0123456789ab"] {
        let Err(fault) = line.session.fetch(file(locator), 0).await else { panic!("{locator}") };
        assert_eq!(fault.code(), Code::NotFound, "{locator}: {fault:?}");
    }
}

#[tokio::test]
async fn a_tool_is_called_directly_and_never_waits() {
    let sim = sim(1).await;
    let (_, line) = Line::to(&sim).await;
    let known = line.session.tool("wangp_list_models", &json!({})).await.unwrap();
    assert!(known.get().contains("t2v"), "{known}");
    let before = sim.seen().len();
    for wait in [json!(true), json!(1)] {
        let asked = json!({ "source": {}, "wait": wait });
        let fault = line.session.tool("wangp_generate", &asked).await.unwrap_err();
        assert_eq!(fault.code(), Code::BadRequest, "{fault:?}");
    }
    assert_eq!(sim.seen().len(), before, "nothing was sent");
    let fault = line.session.tool("wangp_get_job", &json!({ "job_id": "nobody" })).await.unwrap_err();
    assert_eq!(fault.code(), Code::Lost, "{fault:?}");
}
