//! Calls that nothing disturbs.

use std::sync::Arc;

use backline::{
    backends::{
        Report, Session as _, Setback,
        gradio::{Session, Upload},
    },
    model::Code,
    sim::gradio::{Flavour, Options, Version},
};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::rig::{attempt, call, connector, sim, sim_with};
use crate::{
    line::Line,
    log::{Log, end},
};

fn result(finished: &backline::backends::Finished) -> Value {
    serde_json::from_str(finished.result.as_ref().unwrap().get()).unwrap()
}

fn refused(ended: Result<backline::backends::Finished, Setback>) -> backline::model::Fault {
    match ended {
        Err(Setback::Refused(fault) | Setback::Unsent(fault)) => fault,
        other => panic!("not refused: {other:?}"),
    }
}

async fn read(
    session: &dyn backline::backends::Session,
    file: backline::backends::RemoteFile,
    from: u64,
) -> (u64, Vec<u8>) {
    let mut download = session.fetch(file, from).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(chunk) = download.bytes.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    (download.offset, bytes)
}

#[tokio::test]
async fn a_function_runs_with_progress_and_leaves_its_picture() {
    for version in Version::ALL {
        let sim = sim(version).await;
        let line = Line::dial(&connector(&sim)).await.unwrap();
        let log = Arc::new(Log::default());
        let attempt = attempt("/generate", r#"["a cat",4,null,"t2v"]"#);
        let finished = end(line.run(attempt.clone(), &log)).await.unwrap();
        assert_eq!(result(&finished)["data"][1], "done a cat img=None");
        let reports = log.all();
        assert!(matches!(&reports[0], Report::Accepted { remote } if *remote == attempt.remote));
        assert!(matches!(reports[1], Report::Waiting { position: Some(0) }), "{reports:?}");
        assert!(matches!(reports[2], Report::Started), "{reports:?}");
        let steps: Vec<_> =
            reports.iter().filter_map(|r| if let Report::Progress(p) = r { Some(p) } else { None }).collect();
        assert!(steps.len() >= 3, "{steps:?}");
        assert_eq!((steps[0].max, steps[0].node.as_deref()), (Some(4.0), Some("steps")));
        assert_eq!(steps[0].message.as_deref(), Some("Denoising a cat"));
        assert!(steps.windows(2).all(|pair| pair[0].value <= pair[1].value));

        let [file] = finished.files.as_slice() else { panic!("{:?}", finished.files) };
        assert_eq!(file.slot, "0");
        let (_, whole) = read(&*line.session, file.clone(), 0).await;
        assert_eq!(&whole[1..4], b"PNG");
        let (offset, rest) = read(&*line.session, file.clone(), 10).await;
        assert_eq!(whole[usize::try_from(offset).unwrap()..], rest, "{version:?}");
        assert_eq!(offset, if version == Version::V4_44_1 { 0 } else { 10 });
        assert_eq!(sim.begun("generate", "a cat"), 1);
        assert_eq!(line.session.in_flight(), 0);
    }
}

#[tokio::test]
async fn a_generator_is_seen_as_it_grows() {
    for version in Version::ALL {
        let sim = sim(version).await;
        let line = Line::dial(&connector(&sim)).await.unwrap();
        let log = Arc::new(Log::default());
        let finished = end(line.run(attempt("stream", r#"["s",3]"#), &log)).await.unwrap();
        let seen: Vec<Value> = log.partials().iter().map(|p| serde_json::from_str(p).unwrap()).collect();
        let yields: Vec<Value> = (0..3)
            .map(|i| {
                let text: String = (0..=i).map(|n| format!("{n} ")).collect();
                let hist: Vec<u64> = (0..=i).collect();
                json!([format!("Status: {text}"), {"step": i, "phase": "denoise", "hist": hist}])
            })
            .collect();
        assert_eq!(seen, yields);
        assert_eq!(result(&finished)["data"], yields[2]);
    }
}

#[tokio::test]
async fn arguments_go_by_name_too_with_the_apps_defaults() {
    let sim = sim(Version::V6_31_0).await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let finished = call(&line, "generate", r#"{"image_start":null,"prompt":"by name"}"#).await.unwrap();
    assert_eq!(result(&finished)["data"][1], "done by name img=None");
    let finished = call(&line, "stream", r#"["three steps"]"#).await.unwrap();
    assert_eq!(result(&finished)["data"][1]["step"], 2);

    let fault = refused(call(&line, "generate", r#"{"prompt":"x","image_start":null,"stpes":4}"#).await);
    assert_eq!(fault.code(), Code::BadRequest);
    assert!(fault.message().contains("no parameter `stpes`") && fault.message().contains("steps"), "{fault}");
    let fault = refused(call(&line, "generate", r#"["only a prompt"]"#).await);
    assert!(fault.message().contains("no `image_start`"), "{fault}");
    let fault = refused(call(&line, "noop", r#"[1,2]"#).await);
    assert_eq!(fault.code(), Code::BadRequest);
    assert_eq!(sim.all_begun(), 2, "a wrong call reached the app");
}

#[tokio::test]
async fn a_function_has_a_name_or_an_index() {
    for version in Version::ALL {
        let sim = sim(version).await;
        let line = Line::dial(&connector(&sim)).await.unwrap();
        for function in ["/noop", "noop", "2", "unqueued"] {
            let finished = call(&line, function, r#"["hi"]"#).await.unwrap();
            assert_eq!(result(&finished)["data"], json!(["hi"]), "{function}");
        }
        for unknown in ["generte", "false", "unnamed", "99"] {
            let fault = refused(call(&line, unknown, "[]").await);
            assert_eq!(fault.code(), Code::NotFound, "{unknown}");
            assert!(fault.message().contains("/generate"), "{fault}");
        }
    }
}

#[tokio::test]
async fn a_state_is_the_apps_own_and_no_argument() {
    let sim = sim_with(Version::V5_29_0, Options { flavour: Flavour::WanGp, ..Options::default() }).await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let finished = call(&line, "save_inputs", r#"["form"]"#).await.unwrap();
    assert_eq!(result(&finished)["data"], json!(["form"]));
}

#[tokio::test]
async fn a_file_goes_there_and_comes_back() {
    for version in Version::ALL {
        let sim = sim(version).await;
        let line = Line::dial(&connector(&sim)).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in put.bin");
        let bytes: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let data = json!([{"$file": path}]).to_string();
        let finished = call(&line, "fileecho", &data).await.unwrap();
        let [file] = finished.files.as_slice() else { panic!("{:?}", finished.files) };
        assert_eq!(file.name, "in put.bin");
        let (_, back) = read(&*line.session, file.clone(), 0).await;
        assert!(back == bytes, "other bytes came back");

        let session = line.session.clone().downcast::<Session>().ok().unwrap();
        let upload = Upload::Bytes { name: "b.txt".to_owned(), bytes: "text".into() };
        let sent = session.upload(upload).await.unwrap();
        let data = json!([sent]).to_string();
        assert_eq!(call(&line, "fileecho", &data).await.unwrap().files.len(), 1);

        let fault = refused(call(&line, "fileecho", r#"[{"$file":"/no/such/file"}]"#).await);
        assert_eq!(fault.code(), Code::Disk);
        let gone = backline::backends::RemoteFile { locator: "/tmp/gradio/none".to_owned(), ..file.clone() };
        let fault = session.fetch(gone, 0).await.err().unwrap();
        assert_eq!(fault.code(), Code::NotFound);
    }
}

#[tokio::test]
async fn a_failure_says_what_the_app_said() {
    for version in Version::ALL {
        let sim = sim(version).await;
        let line = Line::dial(&connector(&sim)).await.unwrap();
        for (prompt, said) in [("fail", "boom from generate"), ("crash", "internal detail")] {
            let data = json!([prompt, 3, null, "t2v"]).to_string();
            let Err(Setback::Failed(fault)) = call(&line, "generate", &data).await else {
                panic!("{prompt}")
            };
            assert_eq!(fault.code(), Code::ExecutionFailed);
            assert!(fault.message().contains(said), "{fault}");
        }
        let forbidden = r#"[{"path":"/etc/passwd","meta":{"_type":"gradio.FileData"}}]"#;
        let Err(Setback::Failed(fault)) = call(&line, "fileecho", forbidden).await else { panic!("served") };
        assert!(fault.message().contains("/etc/passwd"), "{fault}");
    }
}

#[tokio::test]
async fn a_full_queue_is_busy_and_nothing_was_sent() {
    for version in Version::ALL {
        let sim = sim(version).await;
        let line = Line::dial(&connector(&sim)).await.unwrap();
        let mut runs = Vec::new();
        for number in 0..5 {
            let log = Arc::new(Log::default());
            let data = json!([format!("q{number}"), 20, null, "t2v"]).to_string();
            runs.push((line.run(attempt("generate", &data), &log), log.clone()));
            log.until_waiting().await;
        }
        let fault = refused(call(&line, "generate", r#"["one too many",1,null,"t2v"]"#).await);
        assert_eq!(fault.code(), Code::QueueFull, "{fault}");
        assert_eq!(sim.begun("generate", "one too many"), 0);
        let pulse = line.session.probe().await.unwrap();
        assert_eq!(pulse.queue.map(|q| (q.running, q.pending)), Some((1, 4)));
    }
}
