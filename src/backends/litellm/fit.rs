//! Whether a server offers the model that a request names.

use serde::Deserialize;

use crate::{
    backends::{
        litellm::session::Session,
        preflight::{Fitness, Lack},
    },
    model::{Fault, Work},
};

#[derive(Deserialize)]
struct Named {
    model: Option<String>,
}

/// Compares a request with the models that the server lists; nothing is sent that costs.
pub(super) async fn fit(session: &Session, work: &Work) -> Result<Fitness, Fault> {
    if matches!(work, Work::Workflow(_) | Work::Call { .. } | Work::Generate(_)) {
        return Ok(Fitness::not_this(work));
    }
    let (root, document) = work.document();
    let Ok(Named { model: Some(wanted) }) = serde_json::from_str(document.get()) else {
        return Ok(Fitness::unsaid("the request names no model"));
    };
    let models = session.models().await?;
    if models.iter().any(|model| model.id == wanted) {
        return Ok(Fitness::Runs);
    }
    // LiteLLM lists `openai/*` where it passes on whatever is asked for.
    if models.iter().any(|model| model.id.contains('*')) {
        return Ok(Fitness::unsaid(format!("it passes models on by a pattern, and lists no `{wanted}`")));
    }
    Ok(Fitness::of(vec![Lack::new("model", wanted).at(format!("{root}.model"))]))
}
