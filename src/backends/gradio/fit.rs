//! Whether an app could run a call: its function, and the names of its arguments.

use crate::{
    backends::{
        gradio::{arguments, session::Session},
        preflight::{Fitness, Lack},
    },
    model::{Fault, Work},
};

/// Compares a call with what the app says of its functions; nothing is sent.
pub(super) async fn fit(session: &Session, work: &Work) -> Result<Fitness, Fault> {
    let Work::Call { function, data } = work else { return Ok(Fitness::not_this(work)) };
    let found = match session.function(function) {
        Ok(found) => found,
        Err(_) => return Ok(Fitness::of(vec![Lack::new("function", function).at("call")])),
    };
    let signature = match &found.name {
        Some(name) => session.signatures().await?.of(name),
        None => None,
    };
    Ok(match arguments::arrange(found, signature, data) {
        Ok(_) => Fitness::Runs,
        Err(fault) => Fitness::of(vec![Lack::new("argument", fault.message()).at("data")]),
    })
}
