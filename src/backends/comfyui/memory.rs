//! What outlives a session: under which id the server knows us, and which of our jobs may have died with it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indexmap::IndexMap;
use tokio::time::Instant;
use uuid::Uuid;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The server was restarted since the job was there.
    Restarted {
        /// Whether we watched the job, unfinished, up to the death of the server.
        unfinished: bool,
    },
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
    /// Deaths of the server that refused connections have proved.
    deaths: u64,
    /// Whether its port has refused since the last session: one death refuses many dials.
    counted: bool,
    jobs: IndexMap<String, Job>,
}

/// What the end of the last socket meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It has not ended, or we ended it.
    No,
    /// By the server's doing, or the line's; the next dial says which.
    Fell(Instant),
    /// The server died with it.
    Death,
    /// Nobody can say.
    Unclear,
}

#[derive(Debug)]
struct Job {
    /// The id of the socket that its events go to.
    client: String,
    arrival: Arrival,
    /// Deaths of the server before this job was sent.
    deaths: u64,
    watched: Watched,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    Doubtful,
    Certain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    /// It is under watch, or was left for another reason than the end of the socket.
    No,
    /// Up to the end of the socket, and it was not over.
    ToTheEnd,
    /// Up to the death of the server, and it was not over.
    ToTheDeath,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            client: Uuid::new_v4().to_string(),
            parting: Parting::Seen,
            end: End::No,
            deaths: 0,
            counted: false,
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
        let mut state = self.lock();
        if !state.counted {
            state.counted = true;
            state.deaths += 1;
        }
        let End::Fell(at) = state.end else { return };
        if at.elapsed() > DEATH_WINDOW {
            state.end = End::Unclear;
            return;
        }
        state.end = End::Death;
        for job in state.jobs.values_mut().filter(|j| j.watched == Watched::ToTheEnd) {
            job.watched = Watched::ToTheDeath;
        }
    }

    /// A dial succeeded: whoever listened at the end of the last socket may listen still.
    pub(super) fn connected(&self) {
        let mut state = self.lock();
        state.counted = false;
        let unclear = matches!(state.end, End::Fell(_));
        state.end = End::No;
        for job in state.jobs.values_mut().filter(|j| unclear && j.watched == Watched::ToTheEnd) {
            job.watched = Watched::No;
        }
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
        };
        state.jobs.insert(id.to_owned(), job);
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
    pub(super) fn watched_to_the_end(&self, id: &str) {
        let mut state = self.lock();
        // The next dial may have been refused already, between the end of the socket and this word of it.
        let watched = match state.end {
            End::Fell(_) => Watched::ToTheEnd,
            End::Death => Watched::ToTheDeath,
            End::No | End::Unclear => Watched::No,
        };
        if let Some(job) = state.jobs.get_mut(id) {
            job.watched = watched;
        }
    }

    /// A job is over; nothing more will be asked of it.
    pub(super) fn forget(&self, id: &str) {
        self.lock().jobs.shift_remove(id);
    }

    /// What the absence of a job means.
    pub(super) fn fate(&self, id: &str) -> Fate {
        let state = self.lock();
        match state.jobs.get(id) {
            Some(job) if job.deaths < state.deaths => {
                Fate::Restarted { unfinished: job.watched == Watched::ToTheDeath }
            }
            Some(job) if job.arrival == Arrival::Doubtful => Fate::NeverArrived,
            _ => Fate::Unknown,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
