//! What becomes of a job over the end of our own process. Part of the machine; pure.

use std::time::Duration;

use super::{Effect, Machine, Rerun, Stage, Turn, Watch};
use crate::model::{Code, Fault, JobState};

impl Machine {
    /// Our process ends, as somebody wants it to: what would die with it and cannot be asked for afterwards is judged
    /// while that can still be written down.
    pub(super) fn leaving(mut self) -> Turn {
        let (Stage::Intent(run) | Stage::Sent(run) | Stage::Running(run)) = &self.stage else {
            return self.nothing();
        };
        if !run.dies_with_us() {
            return self.nothing();
        }
        let text = "Backline was stopped while it was under way, and this kind of backend cannot be asked";
        if self.terms.rerun == Rerun::Always {
            self.stage = Stage::Binding { not_before: Duration::ZERO };
            // The next start looks for a backend.
            return (self, vec![Effect::Record { evidence: text.to_owned() }]);
        }
        self.end(JobState::Uncertain, Some(Fault::new(Code::Uncertain, text)))
    }

    pub(super) fn resumed(mut self) -> Turn {
        let always = self.terms.rerun == Rerun::Always;
        let (backend, can_follow) = match &mut self.stage {
            Stage::Ended(_) => return self.nothing(),
            Stage::Binding { not_before } => {
                let find = Effect::Find { backend: None, not_before: *not_before };
                return (self, vec![find]);
            }
            Stage::Fetching { run, .. } => {
                let find = Effect::Find { backend: Some(run.backend.clone()), not_before: Duration::ZERO };
                return (self, vec![find]);
            }
            Stage::Intent(run) | Stage::Sent(run) | Stage::Running(run) => {
                run.watch = Watch::Gap;
                (run.backend.clone(), run.can_follow())
            }
        };
        if can_follow {
            let evidence = "Backline was away, which says nothing of the job".to_owned();
            let find = Effect::Find { backend: Some(backend), not_before: Duration::ZERO };
            return (self, vec![Effect::Record { evidence }, find]);
        }
        let text = "Backline ended while it was under way, and this kind of backend cannot be asked";
        if always {
            return self.again(Duration::ZERO, text.to_owned());
        }
        self.end(JobState::Uncertain, Some(Fault::new(Code::Uncertain, text)))
    }
}
