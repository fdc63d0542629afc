//! A desktop shell: the handle is state that the shell manages, commands of the page are calls on it, and events are
//! forwarded to the page. The shell here is a small stand-in with the three things that such shells have (managed state,
//! commands, `emit`), so that the example builds without one.
//!
//! `cargo run --example desktop` opens on whatever runs on this machine, and prints what a page would hear.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::{sync::Arc, time::Duration};

use backline::{Handle, Supervisor, config::Config, model::EventBody, supervisor::Force};
use futures_util::StreamExt;
use serde::Serialize;

/// What the page hears from the shell.
struct Window;

impl Window {
    fn emit(&self, name: &str, payload: &impl Serialize) -> serde_json::Result<()> {
        println!("{name}: {}", serde_json::to_string(payload)?);
        Ok(())
    }
}

/// What the shell manages for its commands: cheap to clone, and no owner of the supervisor.
#[derive(Clone)]
struct Managed {
    backline: Handle,
}

/// A command of the page: answered at once.
fn status(state: &Managed) -> serde_json::Result<String> {
    serde_json::to_string(&*state.backline.snapshot())
}

/// A command of the page that takes its time. The error is a document, with its remedy.
async fn reconnect(state: Managed, id: String) -> Result<(), String> {
    let done = state.backline.reconnect(&id, Force::No).await;
    done.map_err(|error| format!("{error} {}", error.fix()))
}

/// Forwards what happens. A page that was too slow asks for the snapshot again.
async fn forward(state: Managed, window: Arc<Window>) -> serde_json::Result<()> {
    let mut events = state.backline.events();
    while let Some(event) = events.next().await {
        match event {
            // Of a picture in work the page wants the latest alone; it looks at the job itself.
            Ok(event) if matches!(event.body, EventBody::JobProgress { .. }) => {}
            Ok(event) => window.emit(event.body.name(), &*event)?,
            Err(lagged) => window.emit("resync", &lagged.to_string())?,
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let supervisor = Supervisor::builder().config(Config::load()?).start().await?;
    let (state, window) = (Managed { backline: supervisor.handle() }, Arc::new(Window));
    println!("{}", status(&state)?);
    for backend in state.backline.snapshot().backends.iter() {
        if let Err(error) = reconnect(state.clone(), backend.id.to_string()).await {
            eprintln!("{error}");
        }
    }
    // The shell's own loop would run here; three seconds of it are enough to see something.
    tokio::select! {
        forwarded = forward(state, window) => forwarded?,
        () = tokio::time::sleep(Duration::from_secs(3)) => {}
    }
    supervisor.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
