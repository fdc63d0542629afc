//! `backline submit`: one piece of work, from its start to the files that come of it.

use std::{process::ExitCode, sync::Arc, time::Duration};

use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::value::RawValue;

use super::{
    args::{Common, Submit},
    log::{self, Voice},
    outcome::{FAILED, Stop, UNCERTAIN, print_json},
    print::{errln, out, outln},
    run::Signals,
    setup,
};
use crate::{
    Supervisor, Wanted,
    config::Config,
    jobs::{Job, JobHandle},
    model::{Capability, JobState, JobStatus, Phase},
};

/// How long a cancel and the end of the tree may take.
const GRACE: Duration = Duration::from_secs(5);

pub(crate) async fn submit(common: &Common, submit: Submit) -> Result<ExitCode, Stop> {
    let mut config = setup::load(common)?.config;
    log::install(common, Voice::Reticent, None);
    let job = job(&submit)?;
    narrow(&mut config, &submit.target)?;
    let signals = Signals::listen()?;
    let supervisor = Supervisor::builder().config(config).start().await?;
    let ended = tokio::select! {
        ended = see_through(common, &submit, &supervisor, job) => ended,
        () = signals.received() => Err(Stop::new(130, "stopped by a signal", "")),
    };
    if ended.is_err() {
        for job in supervisor.jobs().await.unwrap_or_default() {
            job.cancel();
        }
    }
    supervisor.shutdown(GRACE).await;
    ended
}

/// Leaves only the backends that the target can mean: the others are nobody's business here.
fn narrow(config: &mut Config, target: &str) -> Result<(), Stop> {
    if target.parse::<Capability>().is_ok() {
        return Ok(());
    }
    let known: Vec<_> = config.backends.keys().map(ToString::to_string).collect();
    config.backends.retain(|id, _| id.as_str() == target);
    if config.backends.is_empty() {
        let shown: String = target.chars().take(80).collect();
        let message = format!("there is no backend `{shown}`; configured: {}", known.join(", "));
        return Err(Stop::usage(
            message,
            "Name one of these, a capability like text.chat, or add it to the configuration.",
        ));
    }
    Ok(())
}

fn job(submit: &Submit) -> Result<Job, Stop> {
    let (target, work) = (submit.target.as_str(), &submit.work);
    let job = if let Some(file) = &work.workflow {
        let text = std::fs::read_to_string(file)
            .map_err(|e| Stop::usage(format!("{}: {e}", file.display()), "Name a file that can be read."))?;
        let mut flow = crate::backends::comfyui::Workflow::parse(&text)
            .map_err(|e| Stop::usage(format!("{}: {e}", file.display()), e.fix()))?;
        for setting in &submit.set {
            flow.set(setting).map_err(|e| Stop::usage(format!("`--set {setting}`: {e}"), e.fix()))?;
        }
        Job::workflow(target, &flow)
    } else if let Some(function) = &work.call {
        let data: Box<RawValue> = serde_json::from_str(&submit.data).map_err(|e| {
            Stop::usage(
                format!("`--data` is no JSON: {e}"),
                "Write a list like '[\"a cat\", 4]', or an object by name.",
            )
        })?;
        Job::call(target, function, data)
    } else if let Some(settings) = &work.generate {
        Job::generate(target, generation(settings)?)
    } else {
        let message =
            serde_json::json!({ "role": "user", "content": work.chat.as_deref().unwrap_or_default() });
        let mut body = serde_json::json!({ "messages": [message] });
        if let Some(model) = &submit.model {
            body["model"] = model.as_str().into();
        }
        Job::chat(target, &body)
    };
    Ok(job.save_to(&submit.out))
}

/// Settings as they are written, or from a file: JSON settings begin with a brace or a bracket, and no file is named so.
fn generation(given: &str) -> Result<Box<RawValue>, Stop> {
    let inline = given.trim_start().starts_with(['{', '[']);
    let (place, text) = match inline {
        true => ("`--generate`", given.to_owned()),
        false => {
            let read = std::fs::read_to_string(given);
            let bad =
                |e| Stop::usage(format!("{given}: {e}"), "Name a file that can be read, or write the JSON.");
            (given, read.map_err(bad)?)
        }
    };
    serde_json::from_str(&text).map_err(|e| {
        let message = format!("{place} is no JSON: {e}");
        Stop::usage(message, "Write settings like '{\"model_type\": \"t2v\", \"prompt\": \"a cat\"}'.")
    })
}

async fn see_through(
    common: &Common,
    submit: &Submit,
    supervisor: &Supervisor,
    job: Job,
) -> Result<ExitCode, Stop> {
    wait_ready(common, submit, supervisor).await?;
    let handle = supervisor.run(job).await?;
    let status = if common.json { as_lines(&handle).await } else { as_picture(common, &handle).await };
    Ok(match status.state {
        JobState::Done => ExitCode::SUCCESS,
        JobState::Uncertain | JobState::Lost | JobState::Held => ExitCode::from(UNCERTAIN),
        _ => ExitCode::from(FAILED),
    })
}

/// A target that needs a person is told at once, not when the time is over.
async fn wait_ready(common: &Common, submit: &Submit, supervisor: &Supervisor) -> Result<(), Stop> {
    let mut snapshot = supervisor.watch();
    let usable = snapshot.wait_for(|now| {
        let open = |p| matches!(p, Phase::Idle | Phase::Dialing | Phase::Waiting);
        now.backends.iter().any(|b| b.phase == Phase::Ready) || !now.backends.iter().any(|b| open(b.phase))
    });
    let spinner = bar(common);
    spinner.set_message(format!("waiting for {}", submit.target));
    // Whether it came or not shows in the snapshot.
    let _ = tokio::time::timeout(submit.wait, usable).await;
    spinner.finish_and_clear();
    let now = supervisor.snapshot();
    if now.backends.iter().any(|b| b.phase == Phase::Ready) {
        return Ok(());
    }
    match supervisor.ready(Wanted::All, Duration::ZERO).await {
        Ok(()) => Ok(()),
        Err(missing) => {
            let first = missing.missing.first();
            let why = first.and_then(|b| b.last_error.as_ref());
            let name = first.map_or(submit.target.as_str(), |b| b.id.as_str());
            let message =
                why.map_or_else(|| format!("`{name}` is not ready"), |e| format!("`{name}`: {}", e.message));
            Err(Stop::new(FAILED, message, why.map_or("", |e| e.fix.as_str())))
        }
    }
}

/// One line for each change; the last is the job at its end.
async fn as_lines(handle: &JobHandle) -> Arc<JobStatus> {
    let mut cell = handle.watch();
    loop {
        let status = cell.borrow_and_update().clone();
        print_json(&*status);
        if status.state.is_end() || cell.changed().await.is_err() {
            return status;
        }
    }
}

async fn as_picture(common: &Common, handle: &JobHandle) -> Arc<JobStatus> {
    let bar = bar(common);
    let (mut progress, mut deltas) = (handle.progress(), handle.deltas());
    let mut wrote = false;
    loop {
        tokio::select! {
            biased;
            Some(text) = deltas.next() => {
                bar.suspend(|| out!("{}", crate::model::fault::clean_lines(&text, usize::MAX)));
                wrote = true;
            }
            Some(now) = progress.next() => {
                bar.set_length(now.max.unwrap_or_default() as u64);
                bar.set_position(now.value as u64);
                let node = now.node.or(now.message).unwrap_or_default();
                bar.set_message(crate::model::fault::clean(&node, 60));
            }
            else => break,
        }
    }
    let status = handle.outcome().await;
    bar.finish_and_clear();
    if wrote {
        outln!();
    }
    print_end(&status, wrote);
    status
}

fn bar(common: &Common) -> ProgressBar {
    let target = match common.json || common.quiet {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr(),
    };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:30}] {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn print_end(status: &JobStatus, wrote_text: bool) {
    for step in &status.timeline {
        tracing::debug!(state = %step.state, evidence = step.evidence, "timeline");
    }
    match &status.error {
        Some(error) => {
            errln!("{}: {error}", status.state);
            if let Some(detail) = error.detail() {
                errln!("{detail}");
            }
            errln!("  fix: {}", error.fix());
        }
        None => errln!("{}", status.state),
    }
    for output in &status.outputs {
        outln!("{}  {}  {} bytes  sha256 {}", output.url, output.media_type, output.bytes, output.sha256);
    }
    if let Some(result) = status.result.as_ref().filter(|_| status.outputs.is_empty() && !wrote_text) {
        outln!("{}", result.get());
    }
}
