//! `backline status`: what the running instance knows.

use std::{process::ExitCode, time::Duration};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    args::{Common, Status},
    instance::Instance,
    outcome::{FAILED, Stop},
    print::{self, outln},
    setup,
};

/// What is shown to a person.
#[derive(Deserialize)]
struct Shown {
    revision: u64,
    overall: String,
    backends: Vec<Backend>,
}

#[derive(Deserialize)]
struct Backend {
    id: String,
    kind: String,
    url: String,
    required: bool,
    phase: String,
    health: String,
    version: Option<String>,
    reason: Option<String>,
    uptime: Option<f64>,
    restarts: u64,
    last_error: Option<LastError>,
}

#[derive(Deserialize)]
struct LastError {
    fix: String,
}

#[derive(Deserialize)]
struct Told {
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
struct Notice {
    severity: String,
}

/// Between looks of `--watch`.
const LOOK: Duration = Duration::from_millis(500);

pub(crate) async fn status(common: &Common, status: Status) -> Result<ExitCode, Stop> {
    let reached = Instance::find(&setup::state_dir(None)?).await?;
    let mut last = None;
    loop {
        let document: Box<RawValue> = reached.get("api/v1/snapshot").await?;
        let shown: Shown = serde_json::from_str(document.get())
            .map_err(|e| Stop::failed(format!("the instance is of another version: {e}")))?;
        if last != Some(shown.revision) {
            last = Some(shown.revision);
            if common.json {
                outln!("{}", document.get());
            } else {
                print(&shown);
                let told: Told = reached.get("api/v1/notices").await?;
                count(&told.notices);
            }
        }
        if !status.watch || print::is_closed() {
            let healthy = shown.overall == "healthy";
            return Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::from(FAILED) });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// How many notices there are to be read.
fn count(notices: &[Notice]) {
    let of = |severity: &str| notices.iter().filter(|n| n.severity == severity).count();
    let counts = [("error", of("error")), ("warning", of("warning"))];
    let told: Vec<_> = counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {severity}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if !told.is_empty() {
        outln!("  {}; `backline notices` says what and what to do", told.join(", "));
    }
}

fn print(shown: &Shown) {
    outln!("{}", shown.overall);
    for backend in &shown.backends {
        let health = if backend.phase == "ready" && backend.health != "healthy" {
            format!(", {}", backend.health)
        } else {
            String::new()
        };
        let required = if backend.required { " (required)" } else { "" };
        let version = backend.version.as_deref().unwrap_or("");
        outln!(
            "  {:<12} {}{health}  {} {version}  {}{required}",
            backend.id,
            backend.phase,
            backend.kind,
            backend.url
        );
        if let Some(reason) = &backend.reason {
            outln!("  {:<12}   {reason}", "");
        }
        if let Some(error) = backend.last_error.as_ref().filter(|_| backend.phase != "ready") {
            outln!("  {:<12}   fix: {}", "", error.fix);
        }
        if let Some(uptime) = backend.uptime.filter(|uptime| *uptime < 1.0) {
            outln!("  {:<12}   ready {:.1} % of the last 24 hours", "", uptime * 100.0);
        }
        if backend.restarts > 0 {
            outln!("  {:<12}   its actor was restarted {} times", "", backend.restarts);
        }
    }
    if shown.backends.is_empty() {
        outln!("  no backend is configured; `backline config init` writes a first configuration");
    }
}
