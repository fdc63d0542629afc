//! What the absence of a job means: from the queue and from history, or from history alone.

use super::{Follow, Seen};
use crate::{
    backends::{
        Finished, RemoteFile, Report, Seen as Known, Setback, Start,
        comfyui::{
            boot::{self, Boot},
            memory::Fate,
            watch::Ending,
        },
    },
    model::{Code, Fault},
};

impl Follow<'_> {
    /// Absent from queue and history, twice.
    pub(super) async fn gone(&self) -> Result<Finished, Setback> {
        let lost = |why: &str| Fault::new(Code::Lost, format!("{}: {why}", self.session.target().id));
        let boot = self.boot().await;
        if boot == Boot::Another {
            self.session.memory().restarted();
        }
        let setback = match self.session.memory().fate(self.id) {
            Fate::Ended(ending, files) => return self.unrecorded(ending, files),
            Fate::Restarted { unfinished, .. } => Setback::Gone {
                evidence: lost("ComfyUI was restarted, and keeps its queue and history only in memory"),
                unfinished,
            },
            Fate::NeverArrived => never_arrived(),
            // Another process of ours was to send it, to the start that answers now.
            Fate::Unknown
                if boot == Boot::Same
                    && self.start == Start::Follow
                    && self.past.seen == Known::Nothing
                    && self.seen == Seen::Nowhere =>
            {
                never_arrived()
            }
            // The same server, the whole time: what waited and is nowhere was deleted.
            Fate::Unknown if self.seen == Seen::Waiting => {
                self.post.watcher.report(Report::Note("somebody removed it from ComfyUI's queue".to_owned()));
                Setback::Cancelled
            }
            Fate::Unknown => Setback::Gone {
                evidence: lost("ComfyUI has the job neither in its queue nor in its history"),
                unfinished: false,
            },
        };
        self.over(Err(setback))
    }

    /// Whether the start that the job was sent to is the one that answers.
    pub(super) async fn boot(&self) -> Boot {
        let mark = self.past.boot.clone().or_else(|| self.session.memory().mark());
        let looked = boot::look(self.session.http(), self.session.limit(), mark.as_deref()).await;
        looked.unwrap_or(Boot::Unknown)
    }

    /// Over by its events, and not in history: somebody cleared it, or the server was restarted.
    pub(super) fn unrecorded(&self, ending: Ending, files: Vec<RemoteFile>) -> Result<Finished, Setback> {
        self.over(match ending {
            Ending::Failed(fault) => Err(Setback::Failed(fault)),
            Ending::Interrupted => Err(Setback::Cancelled),
            Ending::Success => Ok(Finished {
                files,
                result: None,
                notes: vec![
                    "ComfyUI's history does not have it: the files are those that its events named"
                        .to_owned(),
                ],
            }),
            Ending::Unsaid => Err(Setback::Uncertain(Fault::new(
                Code::Uncertain,
                "ComfyUI says that the job is over, and its history does not have it",
            ))),
        })
    }
}

fn never_arrived() -> Setback {
    Setback::Refused(Fault::new(
        Code::ConnectionReset,
        "the prompt was lost on its way: ComfyUI has it neither in its queue nor in its history",
    ))
}
