//! Whether a WanGP could make a generation: its model.

use serde::Deserialize;

use crate::{
    backends::{
        preflight::{Fitness, Lack},
        wan2gp::session::Session,
    },
    model::{Fault, Work},
};

/// What is looked at of the settings: one task, a list of them, or a manifest of something else.
#[derive(Deserialize)]
#[serde(untagged)]
enum Settings {
    One(Task),
    Many(Vec<Task>),
}

#[derive(Deserialize)]
struct Task {
    model_type: Option<String>,
}

/// Compares a generation with the models that the server offers; nothing is sent.
pub(super) async fn fit(session: &Session, work: &Work) -> Result<Fitness, Fault> {
    let Work::Generate(raw) = work else { return Ok(Fitness::not_this(work)) };
    let tasks = match serde_json::from_str::<Settings>(raw.get()) {
        Ok(Settings::One(task)) => vec![task],
        Ok(Settings::Many(tasks)) => tasks,
        Err(_) => return Ok(Fitness::unsaid("the settings are neither a task nor a list of tasks")),
    };
    let models = session.models().await?;
    let there = |name: &str| models.iter().any(|model| model.model_type == name);
    let wanted = tasks.into_iter().filter_map(|task| task.model_type);
    let lacks = wanted.filter(|name| !there(name));
    Ok(Fitness::of(lacks.map(|name| Lack::new("model", name).at("generate.model_type")).collect()))
}
