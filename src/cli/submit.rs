//! `backline submit`: one piece of work, from its start to the files that come of it.
//!
//! It is a client of the running instance. Where none runs it is one itself for as long as its job takes, published
//! the same way, so that a second submit joins it. Where the instance goes away before all is here, the job is on the
//! disk: its successor, or this process, goes on with it.

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
use crate::model::OutputFile;

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

/// How often the work is taken up again where the instance that had it went away.
const TURNS: usize = 3;

/// How far a submit came. What it was told and saved already is not asked for again.
struct Progress {
    view: View,
    /// The job, once it was accepted.
    job: Option<String>,
    saved: Vec<OutputFile>,
}

/// How one turn with a host ended.
enum Turn {
    Over(ExitCode),
    /// The instance went away, and left the job on the disk.
    Orphaned,
}

pub(crate) async fn submit(common: &Common, submit: Submit) -> Result<ExitCode, Stop> {
    let request = Request::new(&submit)?;
    log::install(common, Voice::Reticent, None);
    let signals = Signals::listen()?.received();
    tokio::pin!(signals);
    let mut progress = Progress { view: View::new(common), job: None, saved: Vec::new() };
    for _ in 0..TURNS {
        let host = Host::find(common, &submit).await?;
        let ended = tokio::select! {
            ended = work(common, &submit, &request, &host, &mut progress) => ended,
            () = &mut signals => Err(interrupted(&host)),
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
        if let Turn::Over(code) = ended? {
            return Ok(code);
        }
    }
    let job = progress.job.unwrap_or_default();
    let text = format!("the instance went away {TURNS} times; job {job} is on the disk");
    Err(Stop::new(FAILED, text, format!("Start `backline run`, then `backline jobs watch {job}`.")))
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

async fn work(
    common: &Common,
    submit: &Submit,
    request: &Request,
    host: &Host,
    progress: &mut Progress,
) -> Result<Turn, Stop> {
    let reached = host.reached();
    let id = match &progress.job {
        Some(id) => id.clone(),
        None => {
            if let Host::Own(own) = host {
                own.ready(common, submit).await?;
            }
            if submit.dry_run {
                return dry_run(common, request, reached).await.map(Turn::Over);
            }
            let (code, job) = request.send(reached).await?;
            if code == StatusCode::OK && !common.json {
                errln!("the key stands for this job already");
            }
            if submit.detach {
                return accepted(common, &job).map(Turn::Over);
            }
            progress.job.insert(job.id.clone()).clone()
        }
    };
    let followed = match follow::follow(reached, &id, &mut progress.view).await {
        Ok(Followed::Ended(job)) => save::outputs(reached, *job, &submit.out, &mut progress.saved).await,
        Ok(Followed::Lost) => return Ok(Turn::Orphaned),
        Err(stop) => Err(stop),
    };
    match followed {
        Ok(job) => {
            follow::print_end(common, &job, progress.view.spoke());
            Ok(Turn::Over(follow::exit_code(job.state)))
        }
        // Its successor, or this process, goes on.
        Err(stop) if stop.is_no_instance() => Ok(Turn::Orphaned),
        Err(stop) => Err(stop),
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
