//! Whether a server could run a workflow, asked of it.

use crate::{
    backends::{
        comfyui::{Workflow, preflight, session::Session},
        preflight::{Fitness, Lack},
    },
    model::{Fault, Work},
};

/// Compares a workflow with the nodes and models that the server has now.
pub(super) async fn fit(session: &Session, work: &Work) -> Result<Fitness, Fault> {
    let Work::Workflow(raw) = work else { return Ok(Fitness::not_this(work)) };
    let workflow = Workflow::parse(raw.get())?;
    let missing = preflight::preflight(&workflow, &session.catalogue().await?);
    let nodes =
        missing.nodes.iter().map(|lack| Lack::new("node", &lack.class).at(format!("workflow.{}", lack.node)));
    let models = missing.models.iter().map(|lack| {
        Lack::new("model", &lack.name).at(format!("workflow.{}.inputs.{}", lack.node, lack.input))
    });
    Ok(Fitness::of(nodes.chain(models).collect()))
}
