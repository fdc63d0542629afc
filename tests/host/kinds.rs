//! What each kind's jobs bring, and what they do not claim when their backend dies.

use backline::{jobs::Job, model::JobState};
use serde_json::json;

use crate::world::{Servers, chat, done, end, in_the_middle, stream, supervise, workflow};

#[tokio::test]
async fn a_job_on_each_kind_is_done_with_its_outputs_saved() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let out = tempfile::tempdir().unwrap();
    let picture = done(&supervisor.run(workflow(2, 1).save_to(out.path())).await.unwrap()).await;
    assert_eq!(picture.outputs.len(), 1, "{picture:#?}");
    let bytes = std::fs::read(out.path().join(&picture.outputs[0].name)).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    assert_eq!(bytes.len() as u64, picture.outputs[0].bytes);
    let called = done(&supervisor.run(stream(2)).await.unwrap()).await;
    assert!(called.result.as_ref().unwrap().get().contains("Status: 0 1"), "{:?}", called.result);
    let answered = done(&supervisor.run(chat("stub")).await.unwrap()).await;
    assert!(answered.result.as_ref().unwrap().get().contains("tok0 tok1"), "{:?}", answered.result);
}

#[tokio::test]
async fn killed_in_the_middle_a_call_runs_again_after_proof_only_and_a_chat_does_not_look_done() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let call = in_the_middle(&supervisor, generate()).await;
    servers.gradio.server().kill();
    servers.gradio.server().restart().await.unwrap();
    let called = end(&call).await;
    let proven = called.timeline.iter().any(|step| step.evidence.contains("was restarted, and with it"));
    let expected = if proven { (JobState::Done, 2, 2) } else { (JobState::Uncertain, 1, 1) };
    assert_eq!((called.state, called.attempts, servers.gradio.all_begun()), expected, "{called:#?}");
    for model in ["midcut", "miderr"] {
        let cut = end(&supervisor.run(chat(model)).await.unwrap()).await;
        assert_ne!(cut.state, JobState::Done, "{model}: {cut:#?}");
        assert!(!cut.error.as_ref().unwrap().fix().is_empty());
    }
}

/// A plain function of so many steps that it is surely cut.
fn generate() -> Job {
    Job::call("gradio", "/generate", json!(["a lighthouse", 30, null, "t2v"]))
}
