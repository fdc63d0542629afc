//! What an execution tells of itself on its way. Part of the machine; pure.

use super::{Effect, Machine, Mark, Stage, Turn, Watch};
use crate::model::{Code, Fault, JobState};

impl Machine {
    pub(super) fn marked(mut self, mark: Mark, evidence: &str) -> Turn {
        match self.stage.run_mut() {
            Some(run) if run.mark < mark => run.mark = mark,
            _ => return self.nothing(),
        }
        (self, vec![Effect::Record { evidence: evidence.to_owned() }])
    }

    pub(super) fn named(mut self, remote: String) -> Turn {
        match self.stage.run_mut() {
            Some(run) if run.remote != remote && run.named.as_ref() != Some(&remote) => {
                let evidence = format!("the backend calls it {remote}");
                run.named = Some(remote);
                (self, vec![Effect::Record { evidence }])
            }
            _ => self.nothing(),
        }
    }

    pub(super) fn arrived(mut self) -> Turn {
        match self.stage {
            Stage::Intent(mut run) => {
                run.watch = run.watch.after_a_look();
                self.stage = Stage::Sent(run);
                (self, vec![Effect::Record { evidence: "the backend has it".to_owned() }])
            }
            _ => self.seen_again(),
        }
    }

    pub(super) fn started(mut self) -> Turn {
        match self.stage {
            Stage::Intent(mut run) | Stage::Sent(mut run) => {
                run.watch = run.watch.after_a_look();
                self.stage = Stage::Running(run);
                self.tally.refusals = 0;
                (self, vec![Effect::Record { evidence: "the backend works on it".to_owned() }])
            }
            _ => self.seen_again(),
        }
    }

    /// It is under way still, after we were away: from here on it is watched again.
    fn seen_again(mut self) -> Turn {
        match self.stage.run_mut() {
            Some(run) if run.watch == Watch::Gap => run.watch = Watch::Again,
            _ => return self.nothing(),
        }
        (self, vec![Effect::Record { evidence: "it was seen under way again".to_owned() }])
    }

    /// A file will not come. One that the backend forgot, with the end of its process or by a person's hand, is lost;
    /// the work is not done again for it.
    pub(super) fn unfetched(self, fault: Fault) -> Turn {
        if !matches!(self.stage, Stage::Fetching { .. }) {
            return self.nothing();
        }
        let forgotten = matches!(fault.code(), Code::NotFound | Code::Lost);
        self.end(if forgotten { JobState::Lost } else { JobState::Failed }, Some(fault))
    }
}
