//! What outlives a session: under which id the server knows us, and which of our jobs may have died with it.

mod trace;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indexmap::IndexMap;
use tokio::time::Instant;
use uuid::Uuid;

use self::trace::{Arrival, End, Job, Watched};
use crate::backends::{
    RemoteFile,
    comfyui::{boot::Boot, watch::Ending},
};

/// A refusal so soon after the end of a socket says that the server died at that end.
const DEATH_WINDOW: Duration = Duration::from_secs(2);

/// The most jobs that are remembered.
const JOBS_CAP: usize = 1_024;

/// How the last socket ended, as far as we saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parting {
    /// The server's end of it came: it has let the socket go, and the same id may be used again.
    Seen,
    /// It was dropped without an answer. The server may notice hours later, and would then forget whoever has the
    /// id: a socket that takes it over goes deaf (0.3.64 and 0.24.0).
    Unseen,
}

/// What is known of a job that is absent from a server.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    /// The server was restarted since the job was there.
    Restarted {
        /// Whether we watched the job, unfinished, up to the death of the server.
        unfinished: bool,
        /// Whether its start's mark is gone, so that nothing of it can turn up any more; a refusal says less.
        marked: bool,
    },
    /// It had ended before, by its events; these are the files that they named.
    Ended(Ending, Vec<RemoteFile>),
    /// Its request was lost on the way: the server is the same, and does not have it.
    NeverArrived,
    /// Nothing says that the server was restarted.
    Unknown,
}

/// What outlives a session.
#[derive(Debug)]
pub(super) struct Memory(Mutex<State>);

#[derive(Debug)]
struct State {
    client: String,
    parting: Parting,
    end: End,
    /// What the end of the session before meant: its runs may tell of it after the next has begun.
    before: End,
    /// Sessions so far.
    sessions: u64,
    /// Deaths of the server that refused connections have proved.
    deaths: u64,
    /// How many there were when a missing mark last proved one.
    proven: u64,
    /// Whether its port has refused since the last session: one death refuses many dials.
    counted: bool,
    /// The mark of the start that answers.
    mark: Option<String>,
    jobs: IndexMap<String, Job>,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            client: Uuid::new_v4().to_string(),
            parting: Parting::Seen,
            end: End::No,
            before: End::No,
            sessions: 0,
            deaths: 0,
            proven: 0,
            counted: false,
            mark: None,
            jobs: IndexMap::new(),
        }))
    }

    /// The id for the next socket: the last one where the server has let it go, so that the progress of running jobs
    /// comes to it, else a new one.
    pub(super) fn client(&self) -> String {
        let mut state = self.lock();
        if state.parting == Parting::Unseen {
            state.client = Uuid::new_v4().to_string();
        }
        // Until its end is seen, the socket that is opened now holds the id.
        state.parting = Parting::Unseen;
        state.client.clone()
    }

    /// A new id, whatever became of the last.
    pub(super) fn fresh_client(&self) -> String {
        let mut state = self.lock();
        state.parting = Parting::Unseen;
        state.client = Uuid::new_v4().to_string();
        state.client.clone()
    }

    /// How a socket ended. `Seen` frees its id, unless another socket has another meanwhile.
    pub(super) fn parted(&self, client: &str, parting: Parting) {
        let mut state = self.lock();
        if state.client == client {
            state.parting = parting;
        }
    }

    /// The server ended the socket, or the line was cut.
    pub(super) fn fell(&self) {
        self.lock().end = End::Fell(Instant::now());
    }

    /// A dial was refused: nothing listens.
    pub(super) fn refused(&self) {
        self.lock().died();
    }

    /// A dial succeeded. Unless it is another start, whoever listened at the end of the last socket may listen still.
    pub(super) fn connected(&self, boot: Boot) {
        let mut state = self.lock();
        match boot {
            // What refused was not the server: something in front of it was away.
            Boot::Same => state.lives(),
            Boot::Another => {
                state.died();
                (state.mark, state.proven) = (None, state.deaths);
            }
            Boot::Unknown => state.mark = None,
        }
        state.counted = false;
        let unclear = matches!(state.end, End::Fell(_));
        state.before = if unclear { End::Unclear } else { state.end };
        state.end = End::No;
        state.sessions += 1;
        for job in state.jobs.values_mut().filter(|j| unclear && j.watched == Watched::ToTheEnd) {
            job.watched = Watched::No;
        }
    }

    /// A look showed another start than the one with the mark, while no socket told of it.
    pub(super) fn restarted(&self) {
        let mut state = self.lock();
        if state.mark.take().is_some() {
            state.died();
            (state.counted, state.proven) = (false, state.deaths);
        }
    }

    /// The mark of the start that answers, where it has one.
    pub(super) fn mark(&self) -> Option<String> {
        self.lock().mark.clone()
    }

    /// The start that answers got this mark.
    pub(super) fn marked(&self, mark: &str) {
        self.lock().mark = Some(mark.to_owned());
    }

    /// A job is about to be sent, its events for the socket with this id.
    pub(super) fn sending(&self, id: &str, client: &str) {
        let mut state = self.lock();
        if state.jobs.len() >= JOBS_CAP {
            state.jobs.shift_remove_index(0);
        }
        let job = Job {
            client: client.to_owned(),
            arrival: Arrival::Doubtful,
            deaths: state.deaths,
            watched: Watched::No,
            heard: None,
        };
        state.jobs.insert(id.to_owned(), job);
    }

    /// A job that another process of ours sent, and that was seen under way: from here on it is known as any other.
    pub(super) fn adopt(&self, id: &str) {
        if !self.lock().jobs.contains_key(id) {
            self.sending(id, "");
            self.arrived(id);
        }
    }

    /// The session ended over a job that was over by its events, and history was not read yet.
    pub(super) fn heard_end(&self, id: &str, ending: Ending, files: Vec<RemoteFile>) {
        if let Some(job) = self.lock().jobs.get_mut(id) {
            job.heard = Some((ending, files));
        }
    }

    /// The server has it.
    pub(super) fn arrived(&self, id: &str) {
        if let Some(job) = self.lock().jobs.get_mut(id) {
            job.arrival = Arrival::Certain;
        }
    }

    /// Whether the events of a job go to the socket with this id.
    pub(super) fn is_for(&self, id: &str, client: &str) -> bool {
        self.lock().jobs.get(id).is_some_and(|job| job.client == client)
    }

    /// The session ended over a job that was not over, and that was watched all the time.
    pub(super) fn watched_to_the_end(&self, id: &str, session: u64) {
        let mut state = self.lock();
        // The next dial may have been refused already, or have succeeded, between the end of the socket and this word.
        let end = match state.sessions - session {
            0 => state.end,
            1 => state.before,
            _ => End::Unclear,
        };
        let watched = match end {
            End::Fell(_) => Watched::ToTheEnd,
            End::Death => Watched::ToTheDeath,
            End::No | End::Unclear => Watched::No,
        };
        if let Some(job) = state.jobs.get_mut(id) {
            job.watched = watched;
        }
    }

    /// The number of the session that was opened last.
    pub(super) fn session(&self) -> u64 {
        self.lock().sessions
    }

    /// A job is over; nothing more will be asked of it.
    pub(super) fn forget(&self, id: &str) {
        self.lock().jobs.shift_remove(id);
    }

    /// Whether a job that is absent now stays so, whatever a server may still be checking.
    pub(super) fn is_past(&self, id: &str) -> bool {
        matches!(self.fate(id), Fate::Restarted { marked: true, .. } | Fate::Ended(..))
    }

    /// What the absence of a job means.
    pub(super) fn fate(&self, id: &str) -> Fate {
        let state = self.lock();
        match state.jobs.get(id) {
            Some(Job { heard: Some((ending, files)), .. }) => Fate::Ended(ending.clone(), files.clone()),
            Some(job) if job.deaths < state.deaths => Fate::Restarted {
                unfinished: job.watched == Watched::ToTheDeath,
                marked: job.deaths < state.proven,
            },
            Some(job) if job.arrival == Arrival::Doubtful => Fate::NeverArrived,
            _ => Fate::Unknown,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The server's last start is not over, whatever refused.
    fn lives(&mut self) {
        if self.counted {
            self.deaths -= 1;
        }
        self.end = End::Unclear;
        for job in self.jobs.values_mut() {
            job.watched = Watched::No;
        }
    }

    /// The server's last start is over.
    fn died(&mut self) {
        if !self.counted {
            self.counted = true;
            self.deaths += 1;
        }
        let End::Fell(at) = self.end else { return };
        if at.elapsed() > DEATH_WINDOW {
            self.end = End::Unclear;
            return;
        }
        self.end = End::Death;
        for job in self.jobs.values_mut().filter(|j| j.watched == Watched::ToTheEnd) {
            job.watched = Watched::ToTheDeath;
        }
    }
}

#[cfg(test)]
mod tests;
