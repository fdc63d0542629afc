//! What becomes of a job: every decision of its life, as one total function. Pure.
//!
//! ```text
//!  binding -> intent -> sent -> running -> fetching -> done
//!     ^                            |       failed | cancelled | lost | uncertain | held
//!     '--- proven absent, safe ----'
//! ```
//!
//! Time is the age of the job. An event that does not fit changes nothing and is not written down, so that the steps
//! of a journal, taken again in their order, lead to the same machine.

mod absence;
mod effect;
mod event;
mod run;
mod setback;
mod stage;
mod terms;
mod wishes;
mod word;

use std::time::Duration;

pub use self::{
    effect::Effect,
    event::Event,
    run::{Mark, Run, Watch},
    stage::{End, Stage, Tally, Wish},
    terms::{Files, Keep, Rerun, Terms},
};
use crate::{
    backends::{Abilities, RemoteFile},
    model::{Code, Fault, JobState, job::Guarantee},
};

/// How long a wish to end is worked on before the job ends without the backend's word.
pub const WISH_PATIENCE: Duration = Duration::from_secs(60);
/// Executions that a job may begin, at most.
pub const ATTEMPTS: u32 = 100;
/// Times in a row that a job may be refused before it ran.
pub const REFUSALS: u32 = 1_000;

/// What becomes of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    terms: Terms,
    stage: Stage,
    wish: Wish,
    tally: Tally,
    /// The age at which the clocks of the terms began: 0, or the last retry.
    since: Duration,
}

/// A machine after a step, and what has to be done.
type Turn = (Machine, Vec<Effect>);

impl Machine {
    /// A job that was accepted.
    pub fn accepted(terms: Terms) -> Self {
        let stage = Stage::Binding { not_before: Duration::ZERO };
        Self { terms, stage, wish: Wish::None, tally: Tally::default(), since: Duration::ZERO }
    }

    /// A job of which only the end is known.
    #[cfg(feature = "state")]
    pub(crate) fn judged(self, state: JobState) -> Self {
        let end = End { state, fault: None, result: None, outputs: Vec::new() };
        Self { stage: Stage::Ended(end), ..self }
    }

    /// Where it stands.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// What its caller agreed to.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What happened to it so far, in numbers.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Its state for the outside.
    pub fn state(&self) -> JobState {
        self.stage.state()
    }

    /// What follows from an event at this age of the job.
    pub fn step(self, event: Event, now: Duration) -> Turn {
        match event {
            Event::Bound(run) => self.bound(*run),
            Event::Unbindable(fault) => self.unbindable(fault),
            Event::TakenUp { origin } => self.taken_up(&origin),
            Event::Opening => self.marked(Mark::Opening, "its stream is opened, which can be done once"),
            Event::Spoke => self.marked(Mark::Spoken, "the first byte of its answer came"),
            Event::Arrived => self.arrived(),
            Event::Named { remote } => self.named(remote),
            Event::Started => self.started(),
            Event::Finished { files, result } => self.finished(files, result),
            Event::Fetched { index, output } => self.fetched(index, output),
            Event::Unfetched(fault) => self.unfetched(fault),
            Event::Stopped(setback) => self.stopped(setback, now),
            Event::Cancel => self.cancel(now),
            Event::Tick => self.tick(now),
            Event::Leaving => self.leaving(),
            Event::Resumed => self.resumed(),
            Event::Crashed(fault) if self.stage.is_end() => self.nothing_after(&fault),
            Event::Crashed(fault) => self.end(JobState::Held, Some(fault)),
            Event::Retry => self.retry(now),
        }
    }

    fn nothing(self) -> Turn {
        (self, Vec::new())
    }

    /// A crash of what drove a job that has ended says nothing of the job.
    fn nothing_after(self, _crash: &Fault) -> Turn {
        self.nothing()
    }

    fn bound(mut self, run: Run) -> Turn {
        if !matches!(self.stage, Stage::Binding { .. }) {
            return self.nothing();
        }
        self.tally.attempts = self.tally.attempts.saturating_add(1);
        let evidence = format!("bound to {} at {}, to be sent as {}", run.backend, run.origin, run.remote);
        self.stage = Stage::Intent(run);
        (self, vec![Effect::Record { evidence }, Effect::Send])
    }

    fn unbindable(self, fault: Fault) -> Turn {
        match &self.stage {
            Stage::Binding { .. } => self.end(JobState::Failed, Some(fault)),
            Stage::Intent(_) | Stage::Sent(_) | Stage::Running(_) => {
                self.end(JobState::Uncertain, Some(fault))
            }
            Stage::Fetching { .. } => self.end(JobState::Failed, Some(fault)),
            Stage::Ended(_) => self.nothing(),
        }
    }

    fn taken_up(self, origin: &str) -> Turn {
        let Some(run) = self.stage.run() else { return self.nothing() };
        if run.origin != origin {
            let text = format!(
                "{} was at {} when the work was sent and is at {origin} now: what it knows there proves nothing",
                run.backend, run.origin
            );
            return self.end(JobState::Uncertain, Some(Fault::new(Code::Uncertain, text)));
        }
        let effects = match (&self.stage, self.wish) {
            (Stage::Fetching { .. }, _) => vec![Effect::Fetch],
            (_, Wish::None) => vec![Effect::Follow],
            (_, Wish::Cancel { .. } | Wish::Deadline { .. }) => vec![Effect::Follow, Effect::CancelRemote],
        };
        (self, effects)
    }

    fn finished(mut self, files: Vec<RemoteFile>, result: Option<String>) -> Turn {
        let (Stage::Intent(run) | Stage::Sent(run) | Stage::Running(run)) = self.stage else {
            return self.nothing();
        };
        if self.terms.files == Files::Leave || files.is_empty() {
            let evidence = format!("finished, {} files at the backend", files.len());
            let end = End { state: JobState::Done, fault: None, result, outputs: Vec::new() };
            self.stage = Stage::Ended(end);
            return (self, vec![Effect::Record { evidence }, Effect::End(JobState::Done)]);
        }
        let evidence = format!("finished; {} files to fetch", files.len());
        let outputs = vec![None; files.len()];
        self.stage = Stage::Fetching { run, files, result, outputs };
        (self, vec![Effect::Record { evidence }, Effect::Fetch])
    }

    fn fetched(mut self, index: usize, output: crate::model::OutputFile) -> Turn {
        let Stage::Fetching { outputs, result, .. } = &mut self.stage else { return self.nothing() };
        match outputs.get_mut(index) {
            Some(place @ None) => *place = Some(output),
            // One fetch a file: the first one counts.
            _ => return self.nothing(),
        }
        if outputs.iter().any(Option::is_none) {
            let evidence = format!("file {index} is here, hashed");
            return (self, vec![Effect::Record { evidence }]);
        }
        let outputs: Vec<_> = outputs.drain(..).flatten().collect();
        let evidence = format!("{} files here, hashed", outputs.len());
        let end = End { state: JobState::Done, fault: None, result: result.take(), outputs };
        self.stage = Stage::Ended(end);
        (self, vec![Effect::Record { evidence }, Effect::End(JobState::Done)])
    }

    fn retry(mut self, now: Duration) -> Turn {
        match &self.stage {
            Stage::Ended(end) if end.state != JobState::Done => {}
            _ => return self.nothing(),
        }
        self.tally = Tally { attempts: self.tally.attempts, spent: self.tally.attempts, ..Tally::default() };
        self.wish = Wish::None;
        self.since = now;
        self.again(Duration::ZERO, "somebody wants it to run again".to_owned())
    }

    /// Back to the queue: the caller has made sure that this is safe, or agreed to.
    fn again(mut self, not_before: Duration, evidence: String) -> Turn {
        self.stage = Stage::Binding { not_before };
        (self, vec![Effect::Record { evidence }, Effect::Find { backend: None, not_before }])
    }

    fn end(mut self, state: JobState, fault: Option<Fault>) -> Turn {
        let evidence = fault.as_ref().map_or_else(|| state.to_string(), ToString::to_string);
        // What is here already is kept, whatever the rest came to.
        let (result, outputs) = match self.stage {
            Stage::Fetching { result, outputs, .. } => (result, outputs.into_iter().flatten().collect()),
            _ => (None, Vec::new()),
        };
        self.stage = Stage::Ended(End { state, fault, result, outputs });
        (self, vec![Effect::Record { evidence }, Effect::End(state)])
    }
}

/// What can be promised, by what the kind can do and what the caller wants.
pub fn guarantee(abilities: Abilities, rerun: Rerun) -> Guarantee {
    match rerun {
        Rerun::Always => Guarantee::AtLeastOnce,
        _ if abilities.can_choose_id && abilities.can_look_up => Guarantee::EffectivelyOnce,
        _ => Guarantee::AtMostOnce,
    }
}

#[cfg(test)]
pub(crate) mod tests;
