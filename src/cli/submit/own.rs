//! A supervisor of our own, over the state directory, for as long as a job takes; published, so that others join it.

use std::{path::Path, time::Duration};

use jiff::Timestamp;

use super::Host;
use crate::{
    Error, Supervisor,
    cli::{
        args::{Common, Submit},
        follow,
        instance::{self, Instance, Published, Reached},
        outcome::{FAILED, Stop},
        print::errln,
        setup,
    },
    config::Config,
    http::{Access, Server, Token, listen},
    model::{Capability, Phase, Snapshot},
};

/// How long the end of the tree, and jobs that others gave us, may take once somebody wants us to stop.
const GRACE: Duration = Duration::from_secs(5);
/// Between looks for an instance that is about to be published.
const AGAIN: Duration = Duration::from_millis(100);
/// How long another process may have the state directory without being published.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to look for a backend where none is configured.
const LOOK: Duration = Duration::from_secs(5);

/// This process as an instance.
pub(super) struct Own {
    pub(super) supervisor: Supervisor,
    pub(super) reached: Reached,
    since: Timestamp,
    server: Server,
    _published: Published,
}

/// Starts one, or finds the one that another process has started meanwhile.
pub(super) async fn start(
    common: &Common,
    submit: &Submit,
    config: &Config,
    directory: &Path,
) -> Result<Host, Stop> {
    known(&submit.target, config, directory)?;
    instance::make_directory(directory)?;
    let since = Timestamp::now();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let supervisor = loop {
        let builder = Supervisor::builder().loader(setup::loader(common)).state_dir(directory);
        match builder.start().await {
            Ok(supervisor) => break supervisor,
            Err(Error::State(trouble)) => {
                // Another submit may be about to publish itself.
                if let Ok(reached) = Instance::find(directory).await {
                    return Ok(Host::Running(Box::new(reached)));
                }
                if tokio::time::Instant::now() >= deadline || !trouble.is_retryable() && !is_taken(&trouble) {
                    return Err(Stop::usage(trouble.to_string(), trouble.fix()));
                }
                tokio::time::sleep(AGAIN).await;
            }
            Err(other) => return Err(other.into()),
        }
    };
    let token = Token::random();
    let listening = listen(([127, 0, 0, 1], 0).into()).await.map_err(|e| Stop::failed(e.to_string()))?;
    let server = listening.serve(supervisor.handle(), Access::token(token.clone()));
    let published = Instance::publish(directory, server.address, &token)?;
    let reached = Instance::find(directory).await?;
    Ok(Host::Own(Box::new(Own { supervisor, reached, since, server, _published: published })))
}

fn is_taken(trouble: &crate::state::Trouble) -> bool {
    trouble.cause() == crate::state::Cause::Conflict
}

/// A name that cannot mean anything is told before anything starts. What an earlier run found or was told is in its
/// state.
fn known(target: &str, config: &Config, directory: &Path) -> Result<(), Stop> {
    let listed = config.backends.keys().any(|id| id.as_str() == target)
        || config.pools.keys().any(|id| id.as_str() == target);
    let nothing = config.backends.is_empty();
    if listed || nothing || target.parse::<Capability>().is_ok() || directory.join("state.db").exists() {
        return Ok(());
    }
    let known: Vec<_> = config.backends.keys().map(ToString::to_string).collect();
    let shown = crate::model::fault::clean(target, 80);
    let message = format!("there is no backend `{shown}`; configured: {}", known.join(", "));
    Err(Stop::usage(
        message,
        "Name one of these, a capability like text.chat, or add it to the configuration.",
    ))
}

impl Own {
    /// Waits for a backend that the target can mean. One that needs a person is told at once, not when the time is over.
    pub(super) async fn ready(&self, common: &Common, submit: &Submit) -> Result<(), Stop> {
        let mut cell = self.supervisor.watch();
        let spinner = follow::bar(common);
        spinner.set_message(format!("waiting for {}", submit.target));
        let some = cell.wait_for(|now| !now.backends.is_empty());
        // Where nothing is configured, what runs on this machine is found first.
        let _ = tokio::time::timeout(LOOK, some).await;
        let open = |phase| matches!(phase, Phase::Idle | Phase::Dialing | Phase::Waiting);
        let settled = |now: &Snapshot| {
            let meant = meant(now, &submit.target);
            meant.iter().any(|b| b.phase == Phase::Ready) || !meant.iter().any(|b| open(b.phase))
        };
        // Whether it came or not shows in the snapshot.
        let _ = tokio::time::timeout(submit.wait, cell.wait_for(|now| settled(now))).await;
        spinner.finish_and_clear();
        let now = self.supervisor.snapshot();
        let meant = meant(&now, &submit.target);
        let Some(first) = meant.first() else { return Ok(()) };
        if meant.iter().any(|b| b.phase == Phase::Ready) {
            return Ok(());
        }
        let (message, fix) = match &first.last_error {
            Some(error) => (format!("`{}`: {}", first.id, error.message), error.fix.clone()),
            None => (format!("`{}` is not ready", first.id), String::new()),
        };
        Err(Stop::new(FAILED, message, fix))
    }

    /// Ends: after a job that went its way, with those that others gave us meanwhile; else at once.
    pub(super) async fn close(self, orderly: bool) {
        let theirs = |job: &crate::model::JobStatus| {
            !job.state.is_end() && job.timeline.first().is_some_and(|step| step.at >= self.since)
        };
        if orderly {
            for job in self.supervisor.jobs() {
                if theirs(&job.status()) {
                    errln!("waiting for job {}, which somebody submitted meanwhile", job.id());
                    job.outcome().await;
                }
            }
        }
        self.server.stop();
        let report = self.supervisor.shutdown(GRACE).await;
        crate::cli::run::tell(&report);
    }
}

/// The backends that a target can mean: the one of that name, or all, since what they can do may not be known yet.
fn meant<'a>(now: &'a Snapshot, target: &str) -> Vec<&'a crate::model::BackendStatus> {
    let named: Vec<_> = now
        .backends
        .iter()
        .map(AsRef::as_ref)
        .filter(|b: &&crate::model::BackendStatus| b.id.as_str() == target)
        .collect();
    if named.is_empty() { now.backends.iter().map(AsRef::as_ref).collect() } else { named }
}
