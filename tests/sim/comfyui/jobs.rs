//! Jobs that meet no trouble on the line.

use std::sync::Arc;

use backline::{
    backends::{Report, Setback, Start, comfyui},
    model::{Capability, Channel, Code, Work},
    sim::comfyui::{SimComfyui, Version},
};
use futures_util::{StreamExt, stream};

use super::rig::{attempt, connector, fault_of, sim, slow};
use crate::{
    line::Line,
    log::{Log, end},
};

#[tokio::test]
async fn a_job_shows_its_progress_and_previews_and_leaves_its_file() {
    for version in [Version::V0_3_64, Version::V0_24_0] {
        let sim = SimComfyui::start(version).await.unwrap();
        let line = Line::dial(&connector(&sim)).await.unwrap();
        assert_eq!(line.channel, Channel::Live);
        assert_eq!(line.identity.version.as_deref(), Some(version.as_str()));
        assert_eq!(line.identity.capabilities, [Capability::ImageGenerate, Capability::WorkflowRun]);

        let log = Arc::new(Log::default());
        let graph = slow(3, 0.01, r#","preview":true"#).replace(r#""preview":false,"#, "");
        let attempt = attempt(&graph, Start::Fresh);
        let finished = end(line.run(attempt.clone(), &log)).await.unwrap();

        assert_eq!(log.steps("WireSlow"), [0.0, 1.0, 2.0, 3.0]);
        let previews = log.all().into_iter().filter_map(|r| match r {
            Report::Preview(bytes) => Some(infer::image::is_jpeg(&bytes)),
            _ => None,
        });
        assert_eq!(previews.collect::<Vec<_>>(), [true; 3]);
        assert!(matches!(&log.all()[0], Report::Accepted { remote } if *remote == attempt.remote));
        assert_eq!(finished.files.len(), 1);
        assert_eq!(finished.files[0].slot, "3/images/0");
        assert!(finished.result.unwrap().get().contains("filename"));
        assert!(finished.notes.is_empty());
        assert_eq!(sim.executions(&attempt.remote), 1);

        let download = line.session.fetch(finished.files[0].clone(), 0).await.unwrap();
        let bytes = body(download.bytes).await;
        assert!(infer::image::is_png(&bytes));
        assert_eq!(download.total, Some(bytes.len() as u64));
        let rest = line.session.fetch(finished.files[0].clone(), 10).await.unwrap();
        assert_eq!((rest.offset, rest.total), (10, Some(bytes.len() as u64)));
        assert_eq!(body(rest.bytes).await, bytes[10..]);
    }
}

async fn body(
    mut chunks: stream::BoxStream<'static, Result<bytes::Bytes, backline::model::Fault>>,
) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(chunk) = chunks.next().await {
        all.extend_from_slice(&chunk.unwrap());
    }
    all
}

#[tokio::test]
async fn a_job_that_changed_nothing_is_said_to_be_cached() {
    let sim = sim().await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let graph = slow(1, 0.0, "");
    let first = end(line.run(attempt(&graph, Start::Fresh), &Arc::default())).await.unwrap();
    let log = Arc::new(Log::default());
    let again = end(line.run(attempt(&graph, Start::Fresh), &log)).await.unwrap();
    assert_eq!(again.files, first.files);
    assert!(again.notes[0].contains("cache"), "{:?}", again.notes);
    assert_eq!(log.notes(), again.notes);
}

#[tokio::test]
async fn a_node_that_fails_is_named_with_its_reason() {
    let sim = sim().await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let graph = slow(3, 0.01, "").replace(r#""fail_at":-1"#, r#""fail_at":2"#);
    let setback = end(line.run(attempt(&graph, Start::Fresh), &Arc::default())).await.unwrap_err();
    assert!(matches!(setback, Setback::Failed(_)), "{setback:?}");
    let fault = fault_of(setback);
    assert_eq!(fault.code(), Code::ExecutionFailed);
    assert_eq!(fault.message(), "WireSlow (node 2) failed: wiretest failure at step 2");
}

#[tokio::test]
async fn a_running_job_is_interrupted_and_a_waiting_one_deleted_and_no_other_is_touched() {
    let sim = sim().await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let jobs = [1, 2, 3].map(|n| attempt(&slow(20, 0.02, &format!(r#","nonce":{n}"#)), Start::Fresh));
    let logs: [Arc<Log>; 3] = Default::default();
    let mut runs = Vec::new();
    for (job, log) in jobs.iter().zip(&logs) {
        runs.push(line.run(job.clone(), log));
        log.until(|r| matches!(r, Report::Accepted { .. })).await;
    }
    logs[0].until(|r| matches!(r, Report::Progress(p) if p.value >= 1.0)).await;
    assert_eq!(line.session.in_flight(), 3);
    line.session.cancel(jobs[1].remote.clone()).await.unwrap();
    line.session.cancel(jobs[0].remote.clone()).await.unwrap();
    let last = end(runs.pop().unwrap()).await.unwrap();
    assert_eq!(last.files.len(), 1);
    for run in runs {
        assert!(matches!(end(run).await, Err(Setback::Cancelled)));
    }
    assert_eq!(jobs.map(|job| sim.executions(&job.remote)), [1, 0, 1]);
    assert_eq!(line.session.in_flight(), 0);
    let global = sim.server().seen().into_iter().filter(|s| s.path == "/interrupt").count();
    assert_eq!(global, 1);
}

#[tokio::test]
async fn an_invalid_workflow_is_refused_with_the_complaint_of_each_node() {
    let sim = sim().await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let graph =
        slow(1, 0.0, "").replace(r#""width":64"#, r#""width":99999"#).replace(r#"["2",0]"#, r#"["9",0]"#);
    let job = attempt(&graph, Start::Fresh);
    let setback = end(line.run(job.clone(), &Arc::default())).await.unwrap_err();
    assert!(matches!(setback, Setback::Refused(_)), "{setback:?}");
    let fault = fault_of(setback);
    assert_eq!(fault.code(), Code::InvalidWorkflow);
    assert!(fault.message().contains("node 3 (SaveImage)"), "{fault}");
    assert_eq!(sim.executions(&job.remote), 0);

    let graph = slow(1, 0.0, "").replace(r#""width":64"#, r#""width":99999"#);
    let fault = fault_of(end(line.run(attempt(&graph, Start::Fresh), &Arc::default())).await.unwrap_err());
    assert_eq!(fault.message(), "node 1 (EmptyImage): Value 99999 bigger than max of 16384: width");

    let editor = r#"{"nodes":[{"id":1,"type":"EmptyImage"}],"links":[],"version":0.4}"#;
    let fault = fault_of(end(line.run(attempt(editor, Start::Fresh), &Arc::default())).await.unwrap_err());
    assert_eq!(fault.code(), Code::EditorWorkflow);
}

#[tokio::test]
async fn a_bad_branch_beside_a_good_one_is_noted() {
    let sim = sim().await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let bad = r#","4":{"class_type":"SaveImage","inputs":{"images":["88",0],"filename_prefix":"x"}}}"#;
    let graph = slow(1, 0.0, "");
    let graph = format!("{}{bad}", graph.strip_suffix('}').unwrap());
    let log = Arc::new(Log::default());
    let finished = end(line.run(attempt(&graph, Start::Fresh), &log)).await.unwrap();
    assert_eq!(finished.files.len(), 1);
    assert!(finished.notes[0].contains("node 4 (SaveImage)"), "{:?}", finished.notes);
    assert_eq!(log.notes(), finished.notes);
}

#[tokio::test]
async fn an_upload_gives_the_name_that_the_server_chose() {
    let sim = sim().await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let session = line.session.clone().downcast::<comfyui::Session>().ok().unwrap();
    let send = |bytes: &'static [u8]| {
        let chunks = stream::iter(bytes.chunks(3).map(|c| Ok(bytes::Bytes::from_static(c))));
        session.upload_image("a.png", bytes.len() as u64, chunks)
    };
    assert_eq!(send(b"first bytes").await.unwrap().reference(), "a.png");
    let second = send(b"other bytes").await.unwrap();
    assert_eq!(second.reference(), "a (1).png");
    let graph = format!(
        r#"{{"1":{{"class_type":"LoadImage","inputs":{{"image":"{}"}}}},
            "2":{{"class_type":"PreviewImage","inputs":{{"images":["1",0]}}}}}}"#,
        second.reference()
    );
    let finished = end(line.run(attempt(&graph, Start::Fresh), &Arc::default())).await.unwrap();
    assert!(finished.files[0].name.starts_with("ComfyUI_temp_"));
}

#[tokio::test]
async fn other_work_than_a_workflow_is_refused() {
    let sim = sim().await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let mut job = attempt("{}", Start::Fresh);
    job.work = Work::Chat(serde_json::value::RawValue::from_string("{}".to_owned()).unwrap().into());
    let fault = fault_of(end(line.run(job, &Arc::default())).await.unwrap_err());
    assert_eq!(fault.code(), Code::BadRequest);
}
