//! ComfyUI, from a checkout that `BACKLINE_COMFYUI_DIR` names.

use std::{collections::BTreeMap, process::Command, sync::Arc, time::Duration};

use backline::{
    backends::comfyui::{Workflow, preflight as compare},
    jobs::Job,
    model::{Code, JobState, JobStatus, Kind, Phase},
    registry::{Entry, Standing},
    sim::proxy::{End, FaultProxy},
    supervisor::{Force, query::Capable},
};
use serde::de::IgnoredAny;
use serde_json::json;

use crate::{
    server::{Server, apps, installed},
    story::{Story, backend, end},
};

pub(crate) async fn server() -> Option<Server> {
    let checkout = installed("BACKLINE_COMFYUI_DIR", "a real ComfyUI")?;
    let python = std::env::var("BACKLINE_COMFYUI_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut server = Server::new(move |port, home| {
        let nodes = home.join("custom_nodes");
        std::fs::create_dir_all(&nodes).unwrap();
        let models = home.join("models/checkpoints/sub");
        std::fs::create_dir_all(&models).unwrap();
        std::fs::write(models.join("there.safetensors"), "").unwrap();
        std::fs::copy(apps().join("comfyui_test_nodes.py"), nodes.join("comfyui_test_nodes.py")).unwrap();
        let mut command = Command::new(&python);
        command.current_dir(&checkout).args([
            "main.py",
            "--cpu",
            "--listen",
            "127.0.0.1",
            "--preview-method",
            "auto",
        ]);
        command.args(["--port", &port.to_string(), "--base-directory"]).arg(home).env("HF_HUB_OFFLINE", "1");
        command
    });
    server.start().await;
    Some(server)
}

fn workflow(steps: u32, delay: f64, nonce: u32) -> Job {
    let graph = json!({
        "1": { "class_type": "EmptyImage", "inputs": { "width": 64, "height": 48, "batch_size": 1, "color": 255 } },
        "2": { "class_type": "WireSlow", "inputs": {
            "image": ["1", 0], "steps": steps, "delay": delay, "preview": true, "fail_at": -1, "nonce": nonce } },
        "3": { "class_type": "SaveImage", "inputs": { "images": ["2", 0], "filename_prefix": "real" } },
    });
    Job::workflow("comfyui", graph)
}

/// What the comparison says is what the server says.
async fn preflight(story: &Story) {
    let session = story.supervisor.comfyui("comfyui").await.unwrap();
    let catalogue = session.catalogue().await.unwrap();
    assert!(catalogue.len() > 400 && catalogue.has("KSampler") && catalogue.has("WireSlow"));
    assert!(catalogue.models().contains("sub/there.safetensors"));
    let models = session.models().await.unwrap();
    assert_eq!(models["checkpoints"], ["sub/there.safetensors"]);
    let graph = |name: &str, class: &str| {
        json!({
            "1": { "class_type": "CheckpointLoaderSimple", "inputs": { "ckpt_name": name } },
            "2": { "class_type": class, "inputs": { "images": ["3", 0], "filename_prefix": "x" } },
            "3": { "class_type": "VAEDecode", "inputs": { "samples": ["4", 0], "vae": ["1", 2] } },
            "4": { "class_type": "EmptyLatentImage", "inputs": { "width": 64, "height": 64, "batch_size": 1 } },
        })
    };
    let missing =
        |graph: &serde_json::Value| compare(&Workflow::parse(&graph.to_string()).unwrap(), &catalogue);
    assert!(missing(&graph("sub/there.safetensors", "SaveImage")).is_empty());
    let lacks = missing(&graph("gone.safetensors", "NoSuchNode"));
    assert_eq!(lacks.to_string(), "lacks node NoSuchNode, model gone.safetensors");
    drop(session);
    let job = story.work(Job::workflow("comfyui", graph("gone.safetensors", "SaveImage"))).await;
    let error = job.error.clone().unwrap();
    assert_eq!(error.code(), Code::MissingModel);
    assert!(format!("{error} {:?}", error.detail()).contains("gone.safetensors"), "{error:?}");
}

/// Waits for an answer of the registry about pictures.
async fn images(story: &Story, fits: impl Fn(&Entry) -> bool) -> Entry {
    let mut cell = story.supervisor.watch();
    let met = async {
        loop {
            cell.borrow_and_update();
            let mut found = story.supervisor.query(Capable::of("image.generate")).await.unwrap();
            if let Some(entry) = found.iter().position(|e| e.id.as_str() == "comfyui" && fits(e)) {
                return found.swap_remove(entry);
            }
            cell.changed().await.unwrap();
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(30), met).await;
    answer.unwrap_or_else(|_| panic!("never so: {:#?}", story.status()))
}

/// Nodes and models that support a capability are named; a file that is added is there after a reconnect.
#[tokio::test]
async fn comfyui_whose_registry_names_nodes_and_models_finds_a_new_one_after_a_reconnect() {
    let Some(server) = server().await else { return };
    let story = Story::begin(backend("comfyui", Kind::Comfyui, server.port), "comfyui").await;
    let whole = |entry: &Entry| entry.standing == Standing::Current && entry.nodes.len() > 400;
    let entry = images(&story, whole).await;
    let shown = &entry.evidence[0];
    assert_eq!(shown.models, ["sub/there.safetensors"]);
    for node in ["CheckpointLoaderSimple", "KSampler", "SaveImage"] {
        assert!(entry.nodes.iter().any(|n| n == node), "{node}");
    }
    assert!(shown.nodes.contains(&"CheckpointLoaderSimple".to_owned()), "{shown:?}");
    std::fs::write(server.home().join("models/checkpoints/new.safetensors"), "").unwrap();
    story.supervisor.reconnect("comfyui", Force::Yes).await.unwrap();
    let entry =
        images(&story, |e| whole(e) && e.epoch > entry.epoch && e.evidence[0].models.len() == 2).await;
    assert_eq!(entry.evidence[0].models, ["new.safetensors", "sub/there.safetensors"]);
    let video = story.supervisor.query(Capable::of("video.generate")).await.unwrap();
    assert!(video.iter().all(|e| e.id.as_str() != "comfyui"), "it has no model for films: {video:#?}");
    story.nobody_else_noticed();
}

#[tokio::test]
async fn comfyui() {
    let Some(mut server) = server().await else { return };
    let story = Story::begin(backend("comfyui", Kind::Comfyui, server.port), "comfyui").await;
    assert!(story.status().version.is_some());
    let out = server.home().join("pictures");
    let job = story.work(workflow(4, 0.1, 1).save_to(&out)).await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 1), "{job:#?}");
    assert_eq!(job.outputs[0].media_type, "image/png");
    preflight(&story).await;
    let bad = json!({ "1": { "class_type": "NoSuchNode", "inputs": {} } });
    let job = story.work(Job::workflow("comfyui", bad)).await;
    let error = job.error.clone().unwrap();
    assert_eq!((job.state, error.code()), (JobState::Failed, Code::MissingNode));
    assert!(format!("{error} {:?}", error.detail()).contains("NoSuchNode"), "{error:?}");

    let crashed = story.supervisor.run(workflow(30, 0.1, 2)).await.unwrap();
    crashed.watch().wait_for(|s| s.progress.as_ref().is_some_and(|p| p.value >= 1.0)).await.unwrap();
    story.supervisor.inject_panic("comfyui").unwrap();
    let job = end(&crashed).await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 1), "{job:#?}");

    let killed = story.supervisor.run(workflow(50, 0.1, 3)).await.unwrap();
    killed.watch().wait_for(|s| s.progress.as_ref().is_some_and(|p| p.value >= 1.0)).await.unwrap();
    story.dies_and_comes_back(&mut server, Duration::from_secs(1), 1).await;
    let job = end(&killed).await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 2), "{job:#?}");
    story.hangs_and_comes_back(&server).await;
}

#[tokio::test]
async fn comfyui_whose_socket_is_dropped_in_the_middle_of_a_job_gets_no_second_prompt() {
    let Some(server) = server().await else { return };
    let proxy = FaultProxy::before(server.port).await.unwrap();
    let story = Story::begin(backend("comfyui", Kind::Comfyui, proxy.port()), "comfyui").await;
    for (turn, how) in [End::Fin, End::Rst].into_iter().enumerate() {
        let epoch = story.status().epoch;
        let job = story.supervisor.run(workflow(40, 0.1, 10 + turn as u32)).await.unwrap();
        let mut cell = job.watch();
        let at = |least: f64| move |s: &Arc<JobStatus>| s.progress.as_ref().is_some_and(|p| p.value >= least);
        cell.wait_for(at(2.0)).await.unwrap();
        proxy.cut(how);
        story.until(Duration::from_secs(6), |b| b.phase == Phase::Ready && b.epoch > epoch).await;
        let seen = job.status().progress.clone().unwrap().value;
        let more = cell.wait_for(|s| at(seen + 1.0)(s) || s.state.is_end()).await.unwrap().clone();
        assert!(!more.state.is_end(), "no progress after the cut: {more:#?}");
        let job = end(&job).await;
        assert_eq!((job.state, job.attempts), (JobState::Done, 1), "{job:#?}");
        assert_eq!(prompts(server.port).await, turn + 1, "another prompt was sent");
    }
    story.nobody_else_noticed();
}

/// How many prompts the server has run.
async fn prompts(port: u16) -> usize {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let history = http.get(format!("http://127.0.0.1:{port}/history")).send().await.unwrap();
    history.json::<BTreeMap<String, IgnoredAny>>().await.unwrap().len()
}

#[tokio::test]
async fn slow_comfyui_comes_back_as_often_as_it_is_killed() {
    let Some(mut server) = server().await else { return };
    let story = Story::begin(backend("comfyui", Kind::Comfyui, server.port), "comfyui").await;
    story.dies_and_comes_back(&mut server, Duration::from_secs(1), 3).await;
}

#[tokio::test]
async fn slow_comfyui_stopped_for_a_minute_in_the_middle_of_a_job_keeps_its_epoch_and_its_job() {
    let Some(server) = server().await else { return };
    let story = Story::begin(backend("comfyui", Kind::Comfyui, server.port), "comfyui").await;
    let epoch = story.status().epoch;
    let job = story.supervisor.run(workflow(30, 0.2, 4)).await.unwrap();
    job.watch().wait_for(|s| s.progress.as_ref().is_some_and(|p| p.value >= 1.0)).await.unwrap();
    server.stop();
    // The minute itself is what is tested.
    tokio::time::sleep(Duration::from_secs(60)).await;
    server.resume();
    let job = end(&job).await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 1), "{job:#?}");
    assert_eq!(story.status().epoch, epoch);
}
