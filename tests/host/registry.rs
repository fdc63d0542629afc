//! Who can do what: named with what shows it, found anew after a reconnect and after a request that was not understood.

use std::time::Duration;

use backline::{
    Supervisor,
    backends::litellm::ChatRequest,
    config::Config,
    jobs::Job,
    model::{Capability, Code, JobState, Kind, Phase},
    registry::{Compatibility, Entry, Standing},
    sim::comfyui::{SimComfyui, Version},
    supervisor::{
        Force,
        query::{Capable, Functions, Registry},
    },
};
use serde_json::json;
use tokio::time::timeout;

use crate::world::{Servers, backend, end, supervise, until};

const LIMIT: Duration = Duration::from_secs(20);

/// Asks again at each change of the snapshot, until the answer fits.
async fn asked(
    supervisor: &Supervisor,
    wish: impl Fn() -> Capable,
    fits: impl Fn(&[Entry]) -> bool,
) -> Vec<Entry> {
    let mut cell = supervisor.watch();
    let met = async {
        loop {
            cell.borrow_and_update();
            let answer = supervisor.query(wish()).await.unwrap();
            if fits(&answer) {
                return answer;
            }
            cell.changed().await.unwrap();
        }
    };
    let last = timeout(LIMIT, met).await;
    match last {
        Ok(answer) => answer,
        Err(_) => panic!("never so: {:#?}", supervisor.query(Registry).await),
    }
}

fn images() -> Capable {
    Capable::of("image.generate")
}

/// Whether the whole of it was seen in the session that is open.
fn whole(entries: &[Entry]) -> bool {
    entries
        .iter()
        .all(|entry| entry.standing == Standing::Current && !entry.nodes.is_empty() && entry.nodes.len() > 7)
}

#[tokio::test]
async fn a_capability_names_the_nodes_and_models_that_support_it_and_a_reconnect_finds_a_new_model() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let supervisor =
        supervise(Config::new().backend(backend("comfyui", Kind::Comfyui, sim.server().port()))).await;
    let found = asked(&supervisor, images, |found| found.len() == 1 && whole(found)).await;
    let (entry, shown) = (&found[0], &found[0].evidence[0]);
    assert_eq!(shown.models, ["sd.safetensors"]);
    assert!(
        ["CheckpointLoaderSimple", "KSampler", "SaveImage"]
            .iter()
            .all(|n| shown.nodes.contains(&(*n).to_owned()))
    );
    assert_eq!((entry.compatibility, entry.version.as_deref()), (Compatibility::Tested, Some("0.24.0")));
    assert!(entry.nodes.contains(&"WireSlow".to_owned()) && entry.age_s.is_some_and(|age| age < 20.0));

    sim.add_checkpoint("xl.safetensors");
    let before = entry.epoch;
    let mut events = supervisor.events();
    supervisor.reconnect("comfyui", Force::Yes).await.unwrap();
    let two =
        |found: &[Entry]| found.first().is_some_and(|e| e.epoch > before && e.evidence[0].models.len() == 2);
    let found = asked(&supervisor, images, two).await;
    assert_eq!(found[0].evidence[0].models, ["sd.safetensors", "xl.safetensors"]);
    let told = async {
        use futures_util::StreamExt;
        while let Some(event) = events.next().await {
            if event.unwrap().body.name() == "backend.capabilities" {
                return;
            }
        }
    };
    timeout(LIMIT, told).await.expect("nobody was told");
    assert_eq!(supervisor.query(images().model("xl.safetensors")).await.unwrap().len(), 1);
    assert!(supervisor.query(images().at_least("0.25")).await.unwrap().is_empty());

    for name in ["sd.safetensors", "xl.safetensors"] {
        sim.remove_checkpoint(name);
    }
    supervisor.reconnect("comfyui", Force::Yes).await.unwrap();
    asked(&supervisor, images, <[Entry]>::is_empty).await;
    let entry = supervisor.query(Registry).await.unwrap().backends.remove(0);
    assert_eq!(entry.capabilities, [Capability::WorkflowRun], "nodes without a model make nothing");
    supervisor.shutdown(LIMIT).await;
}

#[tokio::test]
async fn a_request_that_is_not_understood_has_the_backend_looked_at_anew() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let supervisor =
        supervise(Config::new().backend(backend("comfyui", Kind::Comfyui, sim.server().port()))).await;
    asked(&supervisor, images, |found| found.len() == 1 && whole(found)).await;
    let epoch = supervisor.snapshot().backend("comfyui").unwrap().epoch;
    sim.remove_checkpoint("sd.safetensors");
    sim.add_checkpoint("new.safetensors");
    let graph = json!({
        "1": { "class_type": "CheckpointLoaderSimple", "inputs": { "ckpt_name": "sd.safetensors" } },
        "2": { "class_type": "EmptyLatentImage", "inputs": { "width": 64, "height": 64, "batch_size": 1 } },
        "3": { "class_type": "VAEDecode", "inputs": { "samples": ["2", 0], "vae": ["1", 2] } },
        "4": { "class_type": "SaveImage", "inputs": { "images": ["3", 0], "filename_prefix": "x" } },
    });
    let job = end(&supervisor.run(Job::workflow("comfyui", graph)).await.unwrap()).await;
    assert_eq!((job.state, job.error.as_ref().unwrap().code()), (JobState::Failed, Code::MissingModel));
    let fresh = |found: &[Entry]| found.first().is_some_and(|e| e.evidence[0].models == ["new.safetensors"]);
    let found = asked(&supervisor, images, fresh).await;
    assert_eq!(found[0].epoch, epoch, "it needed no reconnect");
    supervisor.shutdown(LIMIT).await;
}

/// As for a job: by whoever made the request, what is known of the backend may be out of date.
#[tokio::test]
async fn a_leases_request_that_is_not_understood_has_the_backend_looked_at_anew() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let lists = || servers.litellm.seen().iter().filter(|seen| seen.path.ends_with("/models")).count();
    let lease = supervisor.litellm("litellm").await.unwrap();
    lease.chat(ChatRequest::new().model("stub").user("hi")).await.unwrap();
    timeout(LIMIT, quiet(lists)).await.unwrap();
    let before = lists();
    lease.chat(ChatRequest::new().model("nobody").user("hi")).await.unwrap_err();
    let asked = async {
        while lists() == before {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, asked).await.expect("it was not looked at");
}

/// Waits until a count stands still: what a start looks at has been looked at.
async fn quiet(count: impl Fn() -> usize) {
    loop {
        let before = count();
        tokio::time::sleep(Duration::from_millis(500)).await;
        if count() == before {
            return;
        }
    }
}

#[tokio::test]
async fn every_kind_says_what_it_can_do_and_what_shows_it() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let chats = supervisor.query(Capable::of(Capability::TextChat)).await.unwrap();
    assert_eq!(chats.len(), 1);
    assert_eq!((chats[0].id.as_str(), chats[0].limits.slots.limit), ("litellm", 32));
    assert!(chats[0].evidence[0].models.contains(&"mock".to_owned()), "{:?}", chats[0].evidence);
    let calls = supervisor.query(Capable::of("function.call")).await.unwrap();
    assert_eq!(calls[0].evidence[0].functions.len(), calls[0].functions.len());
    let functions = supervisor.query(Functions::of("gradio")).await.unwrap();
    let generate = functions.iter().find(|f| f.name == "/generate").unwrap();
    assert_eq!(generate.inputs.len(), 4, "{generate:?}");
    assert!(supervisor.query(Capable::of("tea.make")).await.unwrap_err().to_string().contains("text.chat"));
    assert!(supervisor.query(Functions::of("nobody")).await.is_err());

    // What is away is still known, with its age, and comes last.
    servers.litellm.kill();
    until(&supervisor, "litellm", |b| b.phase != Phase::Ready).await;
    let chats = supervisor.query(Capable::of("text.chat")).await.unwrap();
    assert_eq!((chats.len(), chats[0].standing), (1, Standing::LastKnown));
    let register = supervisor.query(Registry).await.unwrap();
    assert_eq!((register.schema, register.backends.len()), (1, 3));
    supervisor.shutdown(LIMIT).await;
}
