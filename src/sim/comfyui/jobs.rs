//! `/api/jobs` of 0.24.0: queue and history seen as one list.

use serde_json::{Value, json};

use crate::sim::comfyui::{prompt::Prompt, state::Memory};

/// One job, with all that is known of it.
pub(super) fn one(memory: &Memory, id: &str) -> Option<Value> {
    let queued = memory.running.iter().filter(|p| p.id == id).map(|p| waiting(p, "in_progress"));
    let pending = memory.pending.iter().filter(|p| p.id == id).map(|p| waiting(p, "pending"));
    queued.chain(pending).next().or_else(|| memory.history.get(id).map(|entry| whole(id, entry)))
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

fn whole(id: &str, entry: &Value) -> Value {
    let mut job = ended(id, entry);
    job["outputs"] = entry["outputs"].clone();
    job["execution_status"] = entry["status"].clone();
    job["workflow"] = json!({"prompt": entry["prompt"][2], "extra_data": entry["prompt"][3]});
    job
}

fn ended(id: &str, entry: &Value) -> Value {
    let messages = entry["status"]["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let said = |kind: &str| messages.iter().find(|m| m[0] == kind).map(|m| m[1].clone());
    let status = match (said("execution_interrupted"), said("execution_error")) {
        (Some(_), _) => "cancelled",
        (_, Some(_)) => "failed",
        _ => "completed",
    };
    let files = files(&entry["outputs"]);
    let mut job = json!({"id": id, "status": status, "priority": entry["prompt"][0],
        "create_time": entry["prompt"][3]["create_time"],
        "execution_start_time": messages.first().map(|m| m[1]["timestamp"].clone()),
        "execution_end_time": messages.last().map(|m| m[1]["timestamp"].clone()),
        "outputs_count": files.len()});
    if let Some(error) = said("execution_error") {
        job["execution_error"] = error;
    }
    if let Some(first) = files.into_iter().next() {
        job["preview_output"] = first;
    }
    job
}

/// The files of all nodes, each with its node and the key it stands under.
fn files(outputs: &Value) -> Vec<Value> {
    let mut files = Vec::new();
    for (node, keys) in outputs.as_object().into_iter().flatten() {
        for (key, list) in keys.as_object().into_iter().flatten() {
            for file in list.as_array().into_iter().flatten().filter(|f| f.get("filename").is_some()) {
                let mut file = file.clone();
                file["nodeId"] = json!(node);
                file["mediaType"] = json!(key);
                files.push(file);
            }
        }
    }
    files
}
