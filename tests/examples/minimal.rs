//! The least that a host does: start, wait, work, stop. Backends come from `backline.ron`, the environment, or whatever
//! runs on this machine.
//!
//! `cargo run --example minimal -- 'Why is the sky blue?'` asks the first language model that is ready.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use backline::{Supervisor, Wanted, config::Config, jobs::Job};
use futures_util::StreamExt;
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let question = std::env::args().nth(1).unwrap_or_else(|| "Why is the sky blue?".to_owned());
    let supervisor = Supervisor::builder().config(Config::load()?).start().await?;
    // The error names the backend, the cause and the remedy.
    supervisor.ready(Wanted::Required, Duration::from_secs(10)).await?;

    let body = json!({ "messages": [{ "role": "user", "content": question }] });
    let job = supervisor.run(Job::chat("text.chat", body)).await?;
    let mut deltas = job.deltas();
    while let Some(text) = deltas.next().await {
        print!("{text}");
    }
    let outcome = job.outcome().await;
    match &outcome.error {
        None => println!("\n{}", outcome.state),
        Some(fault) => println!("\n{}: {fault}\n{}", outcome.state, fault.fix()),
    }

    supervisor.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
