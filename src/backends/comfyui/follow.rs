//! One job from its sending to its end, by events where they come and by polls where they do not.
//!
//! Events are hints and polls are the truth: what the socket says ends a job only by way of `/history`, and a mute
//! socket delays a result by one poll.

mod absence;

use std::{sync::Arc, time::Duration};

use serde_json::value::RawValue;
use tokio::time::{Instant, sleep_until};

use crate::{
    backends::{
        Attempt, Finished, Past, RemoteFile, Report, Setback, Sink, Start, attachment,
        comfyui::{
            attach,
            board::{Post, Wish},
            boot::Boot,
            history::{Entry, Verdict},
            pace::Pace,
            queue::Place,
            session::{Session, Standing},
            submit,
            watch::{Audience, Ending, Stage, Watch},
            workflow::Workflow,
        },
    },
    model::{Channel, Code, Fault, Work},
};

/// Between two looks that together prove an absence: a server that is checking a prompt lists it nowhere yet.
pub(super) const TWICE: Duration = Duration::from_secs(2);

/// How long history may lag behind the event that a job is over.
const HISTORY_LAG: Duration = Duration::from_secs(2);

/// How long the events of a job may lag behind its history, before the socket counts as deaf.
const EVENT_LAG: Duration = Duration::from_secs(1);

/// One job that is followed to its end.
pub(super) struct Follow<'a> {
    session: &'a Session,
    id: &'a str,
    post: Post<'a>,
    pace: Pace,
    absent: Option<Instant>,
    seen: Seen,
    start: Start,
    past: &'a Past,
    /// Changes of the queue before the last look that showed the job under way.
    calm: Option<u64>,
}

/// Where the job was last seen on this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nowhere,
    /// Accepted or waiting: what then vanishes without a trace was taken out of the queue.
    Waiting,
    Running,
}

impl<'a> Follow<'a> {
    /// Sends or follows a job, to its end or to the end of the session.
    pub(super) async fn run(
        session: &'a Session,
        attempt: &'a Attempt,
        sink: Arc<dyn Sink>,
    ) -> Result<Finished, Setback> {
        let Work::Workflow(raw) = &attempt.work else {
            let what = format!("ComfyUI runs workflows, not `{}`", attempt.work.name());
            return Err(Setback::Unsent(Fault::new(Code::BadRequest, what)));
        };
        let workflow = Workflow::parse(raw.get()).map_err(Setback::Unsent)?;
        let id = attempt.remote.as_str();
        let client = session.board().client();
        let audience = match attempt.start {
            Start::Fresh => Audience::Ours,
            Start::Follow if session.memory().is_for(id, &client) => Audience::Ours,
            Start::Follow => Audience::Elsewhere,
        };
        let post = session.board().post(id, Watch::new(id, &workflow, audience), sink);
        let pace = Pace::new(session.board().channel(), Instant::now());
        let mut follow = Self {
            session,
            id,
            post,
            pace,
            absent: None,
            seen: Seen::Nowhere,
            start: attempt.start,
            past: &attempt.past,
            calm: None,
        };
        let mut notes = Vec::new();
        match attempt.start {
            Start::Fresh => {
                let workflow = with_files(session, raw, workflow).await?;
                notes = match submit::submit(session, id, &client, &workflow).await {
                    Err(Setback::Adrift(_)) => return Err(follow.adrift()),
                    sent => sent?,
                };
                follow.seen = Seen::Waiting;
                follow.post.watcher.feed(Watch::accepted);
                notes.iter().for_each(|note| follow.post.watcher.report(Report::Note(note.clone())));
            }
            Start::Follow => follow.pace.now(),
        }
        let mut finished = follow.until_over().await?;
        finished.notes.splice(0..0, notes);
        Ok(finished)
    }

    async fn until_over(mut self) -> Result<Finished, Setback> {
        loop {
            if let Stage::Over(ending) = self.stage() {
                return self.conclude(ending).await;
            }
            let frames = self.frames();
            tokio::select! {
                biased;
                () = self.session.over() => return Err(self.adrift()),
                () = self.post.watcher.changed.notified() => {
                    if matches!(self.stage(), Stage::Over(_)) { continue }
                }
                () = sleep_until(self.pace.next()) => {}
            }
            let look = self.pace.quiet(frames, self.frames(), Instant::now()) || self.wish() == Wish::Cancel;
            if look && let Some(end) = self.poll().await {
                return end;
            }
        }
    }

    fn stage(&self) -> Stage {
        self.post.watcher.with(|watch| watch.stage().clone())
    }

    fn frames(&self) -> u64 {
        self.post.watcher.with(|watch| watch.frames())
    }

    fn wish(&self) -> Wish {
        self.post.watcher.wish()
    }

    /// One look at the server. `Some` where it shows the end.
    async fn poll(&mut self) -> Option<Result<Finished, Setback>> {
        let changes = self.session.board().changes();
        match self.session.locate(self.id).await {
            Ok(Standing::Ended(entry)) => {
                self.doubt_the_socket().await;
                Some(self.verdict(*entry))
            }
            Ok(Standing::Queued(place)) => {
                self.absent = None;
                if place == Place::Running && self.seen == Seen::Running {
                    self.expect_a_start();
                }
                self.seen = if place == Place::Running { Seen::Running } else { Seen::Waiting };
                self.calm = Some(changes);
                self.adopt().await;
                self.session.memory().arrived(self.id);
                self.post.watcher.feed(|watch| watch.polled(place));
                None
            }
            Ok(Standing::Absent) => self.absent().await,
            Err(_) if self.session.over_now() => Some(Err(self.adrift())),
            Err(fault) => {
                tracing::debug!(%fault, job = self.id, "a look at the job failed");
                self.absent = None;
                None
            }
        }
    }

    /// A job of another process of ours is under way here: from now on it is known as one of this process.
    async fn adopt(&self) {
        let memory = self.session.memory();
        memory.adopt(self.id);
        if let (None, Some(mark)) = (memory.mark(), &self.past.boot)
            && self.boot().await == Boot::Same
        {
            memory.marked(mark);
        }
    }

    /// The job is over by history, and no event said so. Events that are only late come within a moment.
    async fn doubt_the_socket(&self) {
        let expected = self.post.watcher.with(|watch| watch.audience() == Audience::Ours);
        if !expected || self.seen == Seen::Nowhere || self.session.board().channel() != Channel::Live {
            return;
        }
        let deadline = Instant::now() + EVENT_LAG;
        while !matches!(self.stage(), Stage::Over(_)) {
            tokio::select! {
                biased;
                () = self.session.over() => return,
                () = self.post.watcher.changed.notified() => {}
                () = sleep_until(deadline) => return self.session.board().declare_deaf(),
            }
        }
    }

    /// Twice seen running: the event of its start is overdue where the job was sent on this session.
    fn expect_a_start(&self) {
        let ours = self.post.watcher.with(|watch| watch.audience() == Audience::Ours && watch.frames() == 0);
        if ours && self.start == Start::Fresh {
            self.session.board().declare_deaf();
        }
    }

    async fn absent(&mut self) -> Option<Result<Finished, Setback>> {
        if self.wish() == Wish::Cancel {
            return Some(self.over(Err(Setback::Cancelled)));
        }
        let now = Instant::now();
        let first = *self.absent.get_or_insert(now);
        if now < first + TWICE && !self.session.memory().is_past(self.id) {
            self.pace.at(first + TWICE);
            return None;
        }
        Some(self.gone().await)
    }

    /// The events say that it is over: history says what came of it.
    async fn conclude(self, ending: Ending) -> Result<Finished, Setback> {
        let deadline = Instant::now() + HISTORY_LAG;
        let mut wait = Duration::from_millis(25);
        loop {
            match self.session.history_of(self.id).await {
                Ok(Some(entry)) => return self.verdict(entry),
                Ok(None) if Instant::now() >= deadline => {
                    let files = self.files();
                    return self.unrecorded(ending, files);
                }
                Ok(None) => {}
                Err(_) if self.session.over_now() => return Err(self.adrift()),
                Err(fault) => tracing::debug!(%fault, job = self.id, "history cannot be read"),
            }
            tokio::select! {
                biased;
                () = self.session.over() => return Err(self.adrift()),
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(TWICE);
        }
    }

    fn verdict(&self, entry: Entry) -> Result<Finished, Setback> {
        self.over(match entry.verdict() {
            Verdict::Done(finished) => {
                finished.notes.iter().for_each(|note| self.post.watcher.report(Report::Note(note.clone())));
                Ok(finished)
            }
            Verdict::Failed(fault) => Err(Setback::Failed(fault)),
            Verdict::Interrupted => Err(Setback::Cancelled),
        })
    }

    fn files(&self) -> Vec<RemoteFile> {
        self.post.watcher.with(|watch| watch.files().to_vec())
    }

    fn over<T>(&self, end: T) -> T {
        self.session.memory().forget(self.id);
        end
    }

    fn adrift(&self) -> Setback {
        let memory = self.session.memory();
        match self.stage() {
            Stage::Over(ending) => memory.heard_end(self.id, ending, self.files()),
            Stage::Sent | Stage::Running if self.is_watched() => {
                memory.watched_to_the_end(self.id, self.session.number())
            }
            Stage::Sent | Stage::Running => {}
        }
        Setback::Adrift(self.session.why())
    }

    /// Whether its end could not have escaped us on this session: its events come to us, or the queue has not changed
    /// since it was seen under way. What is followed was seen first: it may have ended between two sessions.
    fn is_watched(&self) -> bool {
        let board = self.session.board();
        let events = self.post.watcher.with(|watch| watch.audience() == Audience::Ours)
            && (self.start == Start::Fresh || self.seen != Seen::Nowhere);
        board.channel() == Channel::Live && (events || self.calm == Some(board.changes()))
    }
}

/// The workflow as it is sent: its files at the server before it.
async fn with_files(session: &Session, raw: &RawValue, workflow: Workflow) -> Result<Workflow, Setback> {
    if !attachment::may_be_in(raw) {
        return Ok(workflow);
    }
    let raw = attach::attach(session, raw).await.map_err(Setback::Unsent)?;
    Workflow::parse(raw.get()).map_err(Setback::Unsent)
}
