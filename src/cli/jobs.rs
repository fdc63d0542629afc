//! `backline jobs`: what the running instance works on and has worked on.

use std::process::ExitCode;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    args::{Common, Jobs, JobsCommand, JobsList},
    follow::{self, Followed, Job, View},
    instance::{Instance, Reached},
    log::{self, Voice},
    outcome::Stop,
    print::{errln, outln},
    setup,
};
use crate::model::fault::clean;

/// What one answer lists, at most.
const PAGE: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct Listed {
    jobs: Vec<Box<RawValue>>,
    next: Option<String>,
}

pub(crate) async fn jobs(common: &Common, jobs: Jobs) -> Result<ExitCode, Stop> {
    let reached = Instance::find(&setup::state_dir(None)?).await?;
    log::install(common, Voice::Reticent, None);
    let place = |id: &str| -> Result<String, Stop> {
        // It becomes part of an address.
        let id: crate::model::JobId =
            id.trim().parse().map_err(|_| Stop::failed(format!("there is no job `{}`", clean(id, 60))))?;
        Ok(format!("api/v1/jobs/{id}"))
    };
    match jobs.command.unwrap_or_default() {
        JobsCommand::List(list) => show_all(common, &reached, &list).await,
        JobsCommand::Show { id } => {
            let document: Box<RawValue> = reached.get(&place(&id)?).await?;
            show(common, &document)
        }
        JobsCommand::Watch { id } => {
            place(&id)?;
            watch(common, &reached, id.trim()).await
        }
        JobsCommand::Cancel { id } => command(common, &reached, &format!("{}/cancel", place(&id)?)).await,
        JobsCommand::Retry { id } => command(common, &reached, &format!("{}/retry", place(&id)?)).await,
        JobsCommand::Purge { id } => {
            reached.command(Method::DELETE, &place(&id)?).await?;
            errln!("erased");
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn show_all(common: &Common, reached: &Reached, list: &JobsList) -> Result<ExitCode, Stop> {
    let all = pages(reached, list).await?;
    if common.json {
        let text = serde_json::to_string(&all).expect("it was just read as JSON");
        outln!("{text}");
        return Ok(ExitCode::SUCCESS);
    }
    if all.jobs.is_empty() {
        outln!("no jobs");
    }
    for document in &all.jobs {
        line(&Job::read(document)?);
    }
    if let Some(next) = &all.next {
        errln!("there are more: --limit N, or from here on --before {}", clean(next, 60));
    }
    Ok(ExitCode::SUCCESS)
}

/// As many pages as it takes.
async fn pages(reached: &Reached, list: &JobsList) -> Result<Listed, Stop> {
    let mut all = Listed { jobs: Vec::new(), next: list.before.clone() };
    loop {
        let limit = (list.limit.max(1) - all.jobs.len()).min(PAGE).to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(list.state.as_deref().map(|state| ("state", state)));
        query.extend(all.next.as_deref().map(|before| ("before", before)));
        let page: Listed = reached.get_with("api/v1/jobs", &query).await?;
        let is_last = page.next.is_none() || page.jobs.is_empty();
        all.jobs.extend(page.jobs);
        all.next = page.next;
        if is_last || all.jobs.len() >= list.limit {
            return Ok(all);
        }
    }
}

fn line(job: &Job) {
    let place = job.backend.as_deref().unwrap_or(&job.target);
    let progress = job.progress.as_ref().filter(|_| !job.state.is_end());
    let what = match (&job.error, progress) {
        (Some(error), _) => clean(error.message(), 80),
        (None, Some(now)) => match now.max {
            Some(max) => format!("{} of {max}", now.value),
            None => clean(now.message.as_deref().unwrap_or_default(), 60),
        },
        (None, None) => match job.outputs.len() {
            0 => String::new(),
            files => format!("{files} files"),
        },
    };
    let accepted = job.timeline.first().map(|step| format!("{:.0}", step.at)).unwrap_or_default();
    outln!(
        "{}  {:<10} {:<10} {:<16} {accepted}  {what}",
        job.id,
        job.state.as_str(),
        clean(&job.work, 10),
        clean(place, 16)
    );
}

fn show(common: &Common, document: &RawValue) -> Result<ExitCode, Stop> {
    if common.json {
        outln!("{}", document.get());
        return Ok(ExitCode::SUCCESS);
    }
    let job = Job::read(document)?;
    line(&job);
    outln!("target {}, attempts {}", clean(&job.target, 80), job.attempts);
    for step in &job.timeline {
        outln!("  {:.3}  {:<10} {}", step.at, step.state.as_str(), step.evidence);
    }
    if let Some(error) = &job.error {
        outln!("{error}");
        error.detail().into_iter().for_each(|detail| outln!("{detail}"));
        outln!("  fix: {}", error.fix());
    }
    for output in &job.outputs {
        outln!("{}  {}  {} bytes  sha256 {}", output.url, output.media_type, output.bytes, output.sha256);
    }
    if let Some(result) = &job.result {
        outln!("{}", result.get());
    }
    Ok(ExitCode::SUCCESS)
}

async fn watch(common: &Common, reached: &Reached, id: &str) -> Result<ExitCode, Stop> {
    let mut view = View::new(common);
    match follow::follow(reached, id, &mut view).await? {
        Followed::Ended(job) => {
            follow::print_end(common, &job, view.spoke());
            Ok(follow::exit_code(job.state))
        }
        Followed::Lost => {
            let text = format!("the instance went away; job {id} is on the disk");
            Err(Stop::new(super::outcome::NO_INSTANCE, text, "Start `backline run`, and watch it again."))
        }
    }
}

/// A cancel or a retry; the answer is the job as it is then.
async fn command(common: &Common, reached: &Reached, path: &str) -> Result<ExitCode, Stop> {
    let document: Box<RawValue> = reached.ask(Method::POST, path).await?;
    if common.json {
        outln!("{}", document.get());
    } else {
        line(&Job::read(&document)?);
    }
    Ok(ExitCode::SUCCESS)
}
