//! What comes before a submit goes wrong: nothing of the job was sent, so that also one that may run once goes out again.

use backline::{
    Wanted,
    jobs::{Job, Rerun},
    model::JobState,
    sim::Act,
};
use serde_json::json;

use crate::{
    home::{Home, LIMIT, end},
    stand::{Column, Stand},
};

#[tokio::test]
async fn an_upload_that_breaks_loses_no_job() {
    let stand = Stand::start(Column::Comfyui).await;
    let home = Home::new(stand.config());
    let supervisor = home.start().await;
    supervisor.ready(Wanted::All, LIMIT).await.unwrap();
    let picture = home.path("start.png");
    std::fs::write(&picture, b"pixels").unwrap();
    for act in [Act::LoseRequest, Act::LoseAnswer] {
        stand.server().trouble("/upload/image", Some(1), act);
        let graph = json!({
            "1": { "class_type": "LoadImage", "inputs": { "image": { "$file": picture } } },
            "2": { "class_type": "SaveImage", "inputs": { "images": ["1", 0], "filename_prefix": "matrix" } },
        });
        let job = supervisor.run(Job::workflow("b", graph).rerun(Rerun::Never)).await.unwrap();
        let status = end(&job).await;
        assert_eq!((status.state, status.attempts), (JobState::Done, 1), "{status:#?}");
    }
    let uploads = stand.server().seen().iter().filter(|seen| seen.path.contains("/upload/image")).count();
    assert_eq!(uploads, 4, "two of them broke");
}
