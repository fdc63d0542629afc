//! `backline notices`: what the running instance says that a person should know.

use std::process::ExitCode;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    args::{Common, Notices},
    instance::Instance,
    outcome::Stop,
    print::outln,
    setup,
};

/// What is shown to a person.
#[derive(Deserialize)]
struct Shown {
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
struct Notice {
    id: String,
    code: String,
    severity: String,
    backend: Option<String>,
    message: String,
    fix: String,
    count: u64,
    first_at: jiff::Timestamp,
    last_at: jiff::Timestamp,
    cleared_at: Option<jiff::Timestamp>,
    detail: Option<String>,
    hidden: Option<String>,
}

pub(crate) async fn notices(common: &Common, notices: &Notices) -> Result<ExitCode, Stop> {
    let reached = Instance::find(&setup::state_dir(None)?).await?;
    let query: &[_] = if notices.all { &[("all", "true")] } else { &[] };
    let document: Box<RawValue> = reached.get_with("api/v1/notices", query).await?;
    if common.json {
        outln!("{}", document.get());
        return Ok(ExitCode::SUCCESS);
    }
    let shown: Shown = serde_json::from_str(document.get())
        .map_err(|e| Stop::failed(format!("the instance is of another version: {e}")))?;
    if shown.notices.is_empty() {
        outln!("nothing to tell");
    }
    for notice in &shown.notices {
        print(notice, common.verbose > 0);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(notice: &Notice, verbose: bool) {
    let state = match (&notice.cleared_at, &notice.hidden) {
        (Some(_), _) => "ended",
        (None, Some(hidden)) => hidden,
        (None, None) => "",
    };
    let times = if notice.count == 1 { String::new() } else { format!(" ({} times)", notice.count) };
    let backend = notice.backend.as_deref().unwrap_or("-");
    outln!("{:<8} {backend:<12} {:<20} {}{times} {state}", notice.severity, notice.code, notice.message);
    let span = match notice.cleared_at {
        Some(end) => format!("from {:.0} to {end:.0}", notice.first_at),
        None => format!("since {:.0}, last {:.0}", notice.first_at, notice.last_at),
    };
    outln!("{:<8} {:<12} fix: {}", "", "", notice.fix);
    outln!("{:<8} {:<12} {span}, id {}", "", "", notice.id);
    for line in notice.detail.iter().filter(|_| verbose).flat_map(|d| d.lines()) {
        outln!("{:<8} {:<12}   {line}", "", "");
    }
}
