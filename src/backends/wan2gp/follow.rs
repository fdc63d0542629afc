//! A job that the server has, polled to its end.

use std::time::Duration;

use serde_json::value::{RawValue, to_raw_value};
use tokio::time::{Instant, sleep_until};

use crate::{
    backends::{
        Finished, RemoteFile, Report, Setback, Sink,
        wan2gp::{
            cancel::ByJob,
            run::{self, EVENTS},
            session::Session,
            snapshot::{End, GalleryItem, Outcome, Snapshot, Told},
            tool::{self, Trouble},
        },
    },
    model::{Code, Fault},
};

/// First and longest pause between two looks.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_millis(500);
/// Looks at a job that is over and has no result, before it has none.
const PATIENCE: u32 = 10;

/// Follows a job to its end, or to the end of the session.
pub(super) async fn follow(
    session: &Session,
    remote: &str,
    job: &str,
    sink: &dyn Sink,
) -> Result<Finished, Setback> {
    let ended = Follow { session, remote, job, told: Told::default(), ended_looks: 0 }.until_over(sink).await;
    if !matches!(ended, Err(Setback::Adrift(_))) {
        session.memory.forget(remote);
    }
    ended
}

struct Follow<'a> {
    session: &'a Session,
    remote: &'a str,
    job: &'a str,
    told: Told,
    ended_looks: u32,
}

impl Follow<'_> {
    async fn until_over(mut self, sink: &dyn Sink) -> Result<Finished, Setback> {
        let mut pause = FIRST;
        loop {
            match self.look(sink).await {
                Ok(None) => {}
                Ok(Some(finished)) => return Ok(finished),
                Err(setback) => return Err(setback),
            }
            let next = Instant::now() + pause;
            pause = (pause * 3 / 2).min(LONGEST);
            tokio::select! {
                biased;
                () = self.session.wire.tie.over() => return Err(self.adrift()),
                () = sleep_until(next) => {}
            }
        }
    }

    fn adrift(&self) -> Setback {
        Setback::Adrift(self.session.wire.tie.why())
    }

    /// One look. Silence, and answers that cannot be read, say nothing of the job.
    async fn look(&mut self, sink: &dyn Sink) -> Result<Option<Finished>, Setback> {
        let asked = ByJob { job_id: self.job, event_limit: EVENTS };
        let answer = match self.session.wire.call("wangp_get_job", asked).await {
            Ok(answer) => answer,
            Err(_) if self.session.wire.tie.ended().is_some() => return Err(self.adrift()),
            Err(fault) => {
                tracing::debug!(%fault, job = self.job, "a look at the job failed");
                return Ok(None);
            }
        };
        match tool::document::<Snapshot>(&answer) {
            Ok(snapshot) => self.judge(&snapshot, sink),
            Err(Trouble::Complaint(words)) => match run::gone(self.session, self.remote, &words) {
                Some(setback) => Err(setback),
                None => {
                    tracing::debug!(words, job = self.job, "a look at the job was refused");
                    Ok(None)
                }
            },
            Err(Trouble::Unreadable(why)) => {
                tracing::debug!(why, job = self.job, "a look at the job brought nothing readable");
                Ok(None)
            }
        }
    }

    fn judge(&mut self, snapshot: &Snapshot, sink: &dyn Sink) -> Result<Option<Finished>, Setback> {
        snapshot.news(&mut self.told).into_iter().for_each(|report| sink.report(report));
        let place = self.session.wire.place();
        match snapshot.end(&place) {
            Some(End::Done(outcome)) => Ok(Some(finished(&outcome, snapshot.result.as_deref(), sink))),
            Some(End::Cancelled) => Err(Setback::Cancelled),
            Some(End::Failed(fault)) => Err(Setback::Failed(fault)),
            None if snapshot.done => self.without_result(&place),
            None => {
                self.session.memory.looked(self.remote, snapshot.percent());
                Ok(None)
            }
        }
    }

    /// Over, and its result is not there: the server fills it in a moment later (12.60).
    fn without_result(&mut self, place: &str) -> Result<Option<Finished>, Setback> {
        self.ended_looks += 1;
        if self.ended_looks < PATIENCE {
            return Ok(None);
        }
        let message = format!("{place}: the job is over, and WanGP says not how");
        Err(Setback::Failed(Fault::new(Code::Protocol, message)))
    }
}

/// The files, by their place in the gallery: nothing else can be downloaded.
fn finished(outcome: &Outcome, result: Option<&RawValue>, sink: &dyn Sink) -> Finished {
    let mut notes = Vec::new();
    let mut files = Vec::with_capacity(outcome.generated_files.len());
    for (index, path) in outcome.generated_files.iter().enumerate() {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        let item = outcome.gallery_items.iter().find(|item| same_path(item, path));
        let locator = item.map_or_else(String::new, |item| item.gallery_id.clone());
        files.push(RemoteFile {
            name,
            claimed_type: None,
            slot: format!("generated_files/{index}"),
            locator,
        });
    }
    if files.is_empty() {
        notes.push("WanGP ended without an error, and made no file".to_owned());
    }
    notes.iter().for_each(|note| sink.report(Report::Note(note.clone())));
    let result = result.and_then(|raw| to_raw_value(raw).ok()).map(Into::into);
    Finished { files, result, notes }
}

/// Paths of the server's machine, as the server itself compares them.
fn same_path(item: &GalleryItem, path: &str) -> bool {
    let plain = |path: &str| path.replace('\\', "/").to_lowercase();
    plain(&item.path) == plain(path)
}
