//! What an execution reported, and how long a test waits for it.

use std::{sync::Mutex, time::Duration};

use backline::{
    backends::{Attempt, Finished, Report, Setback, Sink, Start},
    model::Progress,
};
use tokio::task::JoinSet;

/// Long past anything that a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Reports as they came.
#[derive(Default)]
pub struct Log {
    reports: Mutex<Vec<Report>>,
    grown: tokio::sync::Notify,
}

impl Sink for Log {
    fn report(&self, report: Report) {
        self.reports.lock().unwrap().push(report);
        self.grown.notify_waiters();
    }
}

impl Log {
    pub fn all(&self) -> Vec<Report> {
        self.reports.lock().unwrap().clone()
    }

    /// Waits until a report of this kind has come.
    pub async fn until(&self, wanted: impl Fn(&Report) -> bool) {
        self.until_so(|log| log.all().iter().any(&wanted)).await;
    }

    /// Waits until this text has come.
    pub async fn until_text(&self, text: &str) {
        self.until_so(|log| log.text().contains(text)).await;
    }

    /// Waits until it is this far.
    pub async fn until_value(&self, value: f64) {
        self.until_so(|log| log.progress().iter().any(|p| p.value >= value)).await;
    }

    pub async fn until_started(&self) {
        self.until(|r| matches!(r, Report::Started)).await;
    }

    pub async fn until_progress(&self) {
        self.until(|r| matches!(r, Report::Progress(_))).await;
    }

    pub async fn until_waiting(&self) {
        self.until(|r| matches!(r, Report::Waiting { .. })).await;
    }

    async fn until_so(&self, so: impl Fn(&Self) -> bool) {
        let seen = async {
            loop {
                let grown = self.grown.notified();
                if so(self) {
                    return;
                }
                grown.await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("only {:?} came", self.all()));
    }

    pub fn started(&self) -> bool {
        self.all().iter().any(|r| matches!(r, Report::Started))
    }

    /// The server's id for the job.
    pub fn accepted(&self) -> Option<String> {
        self.every(|r| if let Report::Accepted { remote } = r { Some(remote) } else { None })
            .into_iter()
            .next()
    }

    pub fn text(&self) -> String {
        self.every(|r| if let Report::Delta(text) = r { Some(text) } else { None }).concat()
    }

    pub fn notes(&self) -> Vec<String> {
        self.every(|r| if let Report::Note(note) = r { Some(note) } else { None })
    }

    pub fn partials(&self) -> Vec<String> {
        self.every(|r| if let Report::Partial(json) = r { Some(json) } else { None })
    }

    pub fn progress(&self) -> Vec<Progress> {
        self.every(|r| if let Report::Progress(progress) = r { Some(progress) } else { None })
    }

    /// The values of a node's steps.
    pub fn steps(&self, class: &str) -> Vec<f64> {
        let steps = self.progress().into_iter().filter(|p| p.node.as_deref() == Some(class));
        steps.map(|p| p.value).collect()
    }

    fn every<T>(&self, kind: impl Fn(Report) -> Option<T>) -> Vec<T> {
        self.all().into_iter().filter_map(kind).collect()
    }
}

/// The same execution, taken up again.
pub fn follow(attempt: &Attempt) -> Attempt {
    Attempt { start: Start::Follow, ..attempt.clone() }
}

/// The end of a run that is under way.
pub async fn end(mut run: JoinSet<Result<Finished, Setback>>) -> Result<Finished, Setback> {
    let ended = tokio::time::timeout(PATIENCE, run.join_next()).await;
    ended.expect("the run ends").expect("there is one").expect("it does not panic")
}
