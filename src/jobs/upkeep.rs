//! What the jobs' actor has done beside it: reading what earlier runs left, and keeping the journal within its bounds.

use std::time::Duration;

use ractor::ActorRef;
use tokio::time::Instant;

use crate::{
    config::JobsConfig,
    jobs::{
        actor::Msg,
        budget::{Budget, Level, Ruling, WARNING},
        journal::Swept,
        setup::Setup,
        shelf::REMEMBERED,
    },
    model::{Code, Severity},
    notices::Draft,
    state::Trouble,
};

/// Between sweeps of the journal.
const SWEEP: Duration = Duration::from_secs(600);
/// Between looks at what files weigh: what is fetched faster is weighed together.
const BEAT: Duration = Duration::from_millis(500);
/// Between tries to read the journal.
const AGAIN: Duration = Duration::from_secs(1);

/// Reads what earlier runs left, once their backends are there again; as often as the disk needs.
pub(super) async fn load(mut setup: Setup, myself: ActorRef<Msg>) {
    if !setup.journal.is_durable() {
        return;
    }
    // A supervisor that is gone settles nothing.
    let _ = setup.settled.wait_for(|settled| *settled).await;
    loop {
        setup.journal.well().await;
        match setup.journal.load(REMEMBERED as u32).await {
            Ok(loaded) => {
                let _ = myself.cast(Msg::Loaded(loaded));
                return;
            }
            Err(trouble) => tracing::warn!(%trouble, "the jobs of earlier runs could not be read yet"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Keeps the journal within its bounds, whatever they are by now.
pub(super) async fn keep_within_bounds(mut setup: Setup) {
    // Before, an edit of an earlier run that raised a bound may not count yet.
    let _ = setup.settled.wait_for(|settled| *settled).await;
    let (mut budget, mut next) = (Budget::default(), Instant::now() + SWEEP);
    let mut bounds = *setup.bounds.borrow_and_update();
    loop {
        if let Err(trouble) = weigh(&setup, bounds, &mut budget).await {
            tracing::warn!(%trouble, "what the files of jobs weigh is not known");
        }
        let due = budget.due().filter(|due| *due > Instant::now()).map_or(next, |due| due.min(next));
        tokio::select! {
            Ok(()) = setup.bounds.changed() => {
                bounds = *setup.bounds.borrow_and_update();
                next = Instant::now();
            }
            () = setup.journal.weighed() => tokio::time::sleep(BEAT).await,
            () = tokio::time::sleep_until(due) => {}
        }
        if Instant::now() >= next {
            // The budget is seen to by itself: a person is told before.
            let others = JobsConfig { outputs: u64::MAX, ..bounds };
            if let Err(trouble) = sweep(&setup, others).await {
                tracing::warn!(%trouble, "old jobs could not be erased");
            }
            if let Some(inputs) = &setup.inputs {
                inputs.collect(&setup.journal).await;
            }
            next = Instant::now() + SWEEP;
        }
    }
}

async fn sweep(setup: &Setup, bounds: JobsConfig) -> Result<Swept, Trouble> {
    let swept = setup.journal.sweep(bounds).await?;
    setup.clear(&swept).await;
    Ok(swept)
}

/// Looks at the budget of files, and says or does what follows.
async fn weigh(setup: &Setup, bounds: JobsConfig, budget: &mut Budget) -> Result<(), Trouble> {
    let limit = bounds.outputs;
    let weight = setup.journal.weight().await?;
    match budget.look(weight, limit, Instant::now()) {
        Ruling::Calm => setup.desk.clear(Code::OutputsBudget, None),
        Ruling::Told => {}
        Ruling::Tell(level) => {
            let rest = match level {
                Level::Near => String::new(),
                Level::Over => {
                    let minutes = WARNING.as_secs() / 60;
                    format!("; {minutes} minutes after this notice began the oldest are erased")
                }
            };
            let (weight, limit) = (size(weight), size(limit));
            tell(setup, &format!("the files of jobs take {weight} of {limit}{rest}"));
        }
        Ruling::Erase => {
            let swept = sweep(setup, bounds).await?;
            let (jobs, bytes) = (swept.jobs.len(), size(swept.bytes));
            if jobs > 0 {
                tell(
                    setup,
                    &format!("the {jobs} oldest ended jobs were erased, and {bytes} of files with them"),
                );
            }
        }
    }
    Ok(())
}

fn tell(setup: &Setup, message: &str) {
    setup.desk.raise(Draft::new(Code::OutputsBudget, Severity::Warning).message(message));
}

/// A size as a person reads it.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    #[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
    let mut scaled = bytes as f64;
    let mut unit = 0;
    while scaled >= 1024.0 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{scaled:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
#[cfg(feature = "state")]
mod tests;
