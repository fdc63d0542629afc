//! `backline registry`: who can do what, as the running instance knows it.

use std::process::ExitCode;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    args::{Common, Registry},
    instance::Instance,
    outcome::Stop,
    print::outln,
    setup,
};

/// Names that a line shows; `-v` shows all.
const SHOWN: usize = 6;

/// What is shown to a person.
#[derive(Deserialize)]
struct Shown {
    backends: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    kind: String,
    phase: String,
    standing: String,
    version: Option<String>,
    compatibility: String,
    capabilities: Vec<String>,
    models: Vec<String>,
    functions: Vec<String>,
    nodes: Vec<String>,
    evidence: Vec<Evidence>,
    observed_at: Option<jiff::Timestamp>,
}

#[derive(Deserialize)]
struct Evidence {
    capability: String,
    #[serde(default)]
    nodes: Vec<String>,
    #[serde(default)]
    models: Vec<String>,
    #[serde(default)]
    functions: Vec<String>,
    sign: Option<String>,
}

pub(crate) async fn registry(common: &Common, registry: &Registry) -> Result<ExitCode, Stop> {
    let reached = Instance::find(&setup::state_dir(None)?).await?;
    let asked = registry.capability.map(|capability| ("capability", capability.as_str()));
    let document: Box<RawValue> = reached.get_with("api/v1/registry", asked.as_slice()).await?;
    if common.json {
        outln!("{}", document.get());
        return Ok(ExitCode::SUCCESS);
    }
    let shown: Shown = serde_json::from_str(document.get())
        .map_err(|e| Stop::failed(format!("the instance is of another version: {e}")))?;
    let limit = if common.verbose > 0 { usize::MAX } else { SHOWN };
    match (shown.backends.is_empty(), asked) {
        (true, Some((_, capability))) => outln!("no backend is known to have {capability}"),
        (true, None) => outln!("no backend is configured"),
        _ => {}
    }
    for entry in &shown.backends {
        print(entry, asked.is_none(), limit);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(entry: &Entry, whole: bool, limit: usize) {
    let version = entry.version.as_deref().unwrap_or("no version");
    let remark = match entry.compatibility.as_str() {
        "older" => ", older than any that Backline was tried with",
        "newer" => ", newer than any that Backline was tried with",
        _ => "",
    };
    outln!("{:<12} {}  {} {version}{remark}", entry.id, entry.phase, entry.kind);
    match (entry.standing.as_str(), entry.observed_at) {
        ("unknown", _) | (_, None) => outln!("{:<12}   nothing was ever seen of it", ""),
        ("last_known", Some(at)) => outln!("{:<12}   as it was last known, {at:.0}", ""),
        (_, Some(_)) => {}
    }
    if whole {
        list("can", &entry.capabilities, usize::MAX);
        list("models", &entry.models, limit);
        list("functions", &entry.functions, limit);
        if !entry.nodes.is_empty() {
            outln!("{:<12}   nodes: {}", "", entry.nodes.len());
        }
        return;
    }
    for evidence in &entry.evidence {
        outln!("{:<12}   {}", "", evidence.capability);
        list("nodes", &evidence.nodes, limit);
        list("models", &evidence.models, limit);
        list("functions", &evidence.functions, limit);
        if let Some(sign) = &evidence.sign {
            outln!("{:<12}   {sign}", "");
        }
    }
}

fn list(what: &str, names: &[String], limit: usize) {
    if names.is_empty() {
        return;
    }
    let more = names.len().saturating_sub(limit);
    let shown: Vec<&str> = names.iter().take(limit).map(String::as_str).collect();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    outln!("{:<12}   {what}: {}{rest}", "", shown.join(", "));
}
