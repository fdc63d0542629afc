//! A host without tokio: the supervisor has a thread of its own, and this one waits where it likes.
//!
//! `cargo run --example blocking`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::time::Duration;

use backline::{Supervisor, Wanted, config::Config, supervisor::query::HealthOf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let supervisor = Supervisor::builder().config(Config::load()?).start_blocking()?;
    if let Err(error) = supervisor.block_on(supervisor.ready(Wanted::Required, Duration::from_secs(10))) {
        eprintln!("{error}");
    }
    for backend in &supervisor.snapshot().backends {
        let health = supervisor.block_on(supervisor.query(HealthOf::id(backend.id.as_str())));
        println!("{} is {}; probes: {health:?}", backend.id, backend.phase);
    }
    let report = supervisor.shutdown(Duration::from_secs(5));
    println!("stopped cleanly: {}", report.is_some_and(|report| report.clean));
    Ok(())
}
