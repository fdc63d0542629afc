//! `backline submit`: one piece of work, from its start to the files that come of it.
//!
//! It is a client of the running instance. Where none runs it is one itself for as long as its job takes, published
//! the same way, so that a second submit joins it.

mod own;
mod request;
mod save;

use std::process::ExitCode;

use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use self::{own::Own, request::Request};
use super::{
    args::{Common, Submit},
    follow::{self, Followed, Job, View},
    instance::{Instance, Reached},
    log::{self, Voice},
    outcome::{FAILED, Stop},
    print::{errln, outln},
    run::Signals,
    setup,
};

/// Who does the work: the instance that runs, or this process.
enum Host {
    Running(Box<Reached>),
    Own(Box<Own>),
}

#[derive(Deserialize)]
struct Preflight {
    candidates: Vec<Candidate>,
}

#[derive(Deserialize)]
struct Candidate {
    verdict: String,
    says: String,
}

pub(crate) async fn submit(common: &Common, submit: Submit) -> Result<ExitCode, Stop> {
    let request = Request::new(&submit)?;
    log::install(common, Voice::Reticent, None);
    let signals = Signals::listen()?;
    let host = Host::find(common, &submit).await?;
    let ended = tokio::select! {
        ended = work(common, &submit, &request, &host) => ended,
        () = signals.received() => Err(interrupted(&host)),
        report = host.gave_up() => {
            Err(Stop::new(FAILED, format!("the supervision tree gave up: {report}"), "Report this as a bug."))
        }
    };
    if let Host::Own(own) = host {
        let again = Signals::listen()?;
        tokio::select! {
            () = own.close(ended.is_ok()) => {}
            () = again.received() => return Ok(ExitCode::from(130)),
        }
    }
    ended
}

fn interrupted(host: &Host) -> Stop {
    let text = match host {
        Host::Running(_) => "stopped watching; the job goes on at the running instance",
        Host::Own(_) => "stopping; again to stop at once",
    };
    Stop::new(130, text, "`backline jobs` shows what there is, `backline jobs cancel ID` ends one.")
}

impl Host {
    async fn find(common: &Common, submit: &Submit) -> Result<Self, Stop> {
        let config = setup::load(common)?.config;
        let directory = setup::state_dir(Some(&config))?;
        match Instance::find(&directory).await {
            Ok(reached) => Ok(Self::Running(Box::new(reached))),
            Err(none) if submit.detach => Err(none),
            Err(_) => own::start(common, submit, &config, &directory).await,
        }
    }

    fn reached(&self) -> &Reached {
        match self {
            Self::Running(reached) => reached,
            Self::Own(own) => &own.reached,
        }
    }

    async fn gave_up(&self) -> backline_supervisors::GaveUp {
        match self {
            Self::Running(_) => std::future::pending().await,
            Self::Own(own) => own.supervisor.closed().await,
        }
    }
}

async fn work(common: &Common, submit: &Submit, request: &Request, host: &Host) -> Result<ExitCode, Stop> {
    if let Host::Own(own) = host {
        own.ready(common, submit).await?;
    }
    let reached = host.reached();
    if submit.dry_run {
        return dry_run(common, request, reached).await;
    }
    let (code, job) = request.send(reached).await?;
    if code == StatusCode::OK && !common.json {
        errln!("the key stands for this job already");
    }
    if submit.detach {
        return accepted(common, &job);
    }
    let mut view = View::new(common);
    let ended = through(common, &job.id, &mut view, host).await?;
    let job = save::outputs(&ended.reached, ended.job, &submit.out).await?;
    follow::print_end(common, &job, view.spoke());
    Ok(follow::exit_code(job.state))
}

/// A job that has ended, and who knows of it.
struct Ended {
    reached: Reached,
    job: Job,
}

/// Watches a job to its end. An instance that goes away meanwhile has left the job on the disk: its successor, or this
/// process, goes on.
async fn through(common: &Common, id: &str, view: &mut View, host: &Host) -> Result<Ended, Stop> {
    let mut reached = host.reached().clone();
    loop {
        match follow::follow(&reached, id, view).await? {
            Followed::Ended(job) => return Ok(Ended { reached, job: *job }),
            Followed::Lost => {
                let directory = setup::state_dir(Some(&setup::load(common)?.config))?;
                reached = Instance::find(&directory).await.map_err(|_| {
                    let text = format!("the instance went away; job {id} is on the disk");
                    Stop::new(FAILED, text, format!("Start `backline run`, then `backline jobs watch {id}`."))
                })?;
            }
        }
    }
}

fn accepted(common: &Common, job: &Job) -> Result<ExitCode, Stop> {
    if common.json {
        outln!("{}", job.document())
    } else {
        outln!("{}", job.id)
    }
    Ok(ExitCode::SUCCESS)
}

/// Says where the work could run, and what lacks where.
async fn dry_run(common: &Common, request: &Request, reached: &Reached) -> Result<ExitCode, Stop> {
    let document: Box<RawValue> = reached.post("api/v1/preflight", request.body()).await?;
    let found: Preflight = serde_json::from_str(document.get())
        .map_err(|e| Stop::failed(format!("the instance is of another version: {e}")))?;
    if common.json {
        outln!("{}", document.get());
    } else {
        found.candidates.iter().for_each(|candidate| outln!("{}", candidate.says));
    }
    match found.candidates.iter().any(|candidate| candidate.verdict == "runs") {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::from(FAILED)),
    }
}
