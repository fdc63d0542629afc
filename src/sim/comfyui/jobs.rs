//! `/api/jobs` of 0.24.0: queue and history seen as one list.

use serde_json::{Value, json};

use crate::sim::comfyui::{prompt::Prompt, state::Memory};

/// One job.
pub(super) fn one(memory: &Memory, id: &str) -> Option<Value> {
    let queued = memory.running.iter().filter(|p| p.id == id).map(|p| waiting(p, "in_progress"));
    let pending = memory.pending.iter().filter(|p| p.id == id).map(|p| waiting(p, "pending"));
    queued.chain(pending).next().or_else(|| memory.history.get(id).map(|entry| ended(id, entry)))
}

/// All of them, the newest first, with the place in the list.
pub(super) fn list(memory: &Memory, status: Option<&str>, offset: usize, limit: Option<usize>) -> Value {
    let running = memory.running.iter().map(|p| waiting(p, "in_progress"));
    let pending = memory.pending.iter().map(|p| waiting(p, "pending"));
    let over = memory.history.iter().rev().map(|(id, entry)| ended(id, entry));
    let wanted = |job: &Value| status.is_none_or(|s| s.split(',').any(|s| job["status"] == s));
    let jobs: Vec<Value> = running.chain(pending).chain(over).filter(wanted).collect();
    let total = jobs.len();
    let shown: Vec<Value> = jobs.into_iter().skip(offset).take(limit.unwrap_or(usize::MAX)).collect();
    let more = offset + shown.len() < total;
    json!({"jobs": shown, "pagination": {"offset": offset, "limit": limit, "total": total, "has_more": more}})
}

fn waiting(prompt: &Prompt, status: &str) -> Value {
    json!({"id": prompt.id, "status": status, "priority": prompt.number,
        "create_time": prompt.extra.get("create_time"), "outputs_count": 0})
}

fn ended(id: &str, entry: &Value) -> Value {
    let messages = entry["status"]["messages"].as_array();
    let said =
        |kind: &str| messages.and_then(|list| list.iter().find(|m| m[0] == kind)).map(|m| m[1].clone());
    let status = match (said("execution_interrupted"), said("execution_error")) {
        (Some(_), _) => "cancelled",
        (_, Some(_)) => "failed",
        _ => "completed",
    };
    json!({"id": id, "status": status, "priority": entry["prompt"][0],
        "create_time": entry["prompt"][3]["create_time"],
        "execution_error": said("execution_error"),
        "outputs_count": entry["outputs"].as_object().map_or(0, |nodes| nodes.len())})
}
