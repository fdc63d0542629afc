//! What outlives a session: which calls went to which start of the app, and how far we saw them.
//!
//! The stream of a call can be opened once. Opened again, Gradio answers 404 (4.44.1, 5.29.0, 6.31.0), which then
//! says only that the stream was lost: a plain function runs on. So the decisive fact is whether it was ever opened.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indexmap::IndexMap;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A dial so soon after the end of a stream tells what that end was.
const DEATH_WINDOW: Duration = Duration::from_secs(2);

/// The most calls that are remembered.
const CALLS_CAP: usize = 1_024;

/// What outlives a session.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    calls: IndexMap<String, Call>,
    last_dial: Option<(Instant, Dial)>,
}

/// What a dial found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dial {
    /// Nothing listens: the process that listened is gone.
    Refused,
    /// An app answered, with this boot id.
    Found(String),
    /// Anything else, which tells nothing of the process.
    Unclear,
}

#[derive(Debug)]
struct Call {
    boot: String,
    function: u64,
    /// The session under which the app has it, where that is not the one that we chose.
    session: Option<String>,
    event: Option<String>,
    stream: Stream,
    watched: Watched,
    leave: CancellationToken,
    standing: Standing,
}

/// Whether the app works on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Queued,
    Started,
}

/// Whether the stream of a call was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// Not yet, and whether the call arrived is not known.
    Doubtful,
    /// Not yet; the app confirmed the call.
    Waiting,
    Opened,
}

/// How far we watched a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    /// Not up to the end of its stream.
    Partly,
    /// Up to the end of its stream, and it was not over.
    ToTheEnd(Instant),
    /// Up to the death of the app, and it was not over.
    ToTheDeath,
}

/// What is known of a call when it is taken up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Another start of the app got it.
    Gone {
        /// Whether we watched it, unfinished, up to the death of that start.
        unfinished: bool,
    },
    /// Nobody knows whether it arrived; its stream was never opened, so the app can be asked.
    Doubtful,
    /// It arrived; its stream was never opened, so all its messages are kept.
    Waiting,
    /// Its stream was opened and lost.
    Opened,
    /// It is not remembered.
    Unknown,
}

/// What a cancellation needs.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    pub(super) function: u64,
    pub(super) session: String,
    /// The app's own id for it; `None` as long as the app has not told it.
    pub(super) event: Option<String>,
    pub(super) standing: Standing,
    /// Makes the reader of the call's stream leave it.
    pub(super) leave: CancellationToken,
}

impl Memory {
    /// A call is about to be sent.
    pub(super) fn sending(&self, remote: &str, boot: &str, function: u64) {
        let mut state = self.lock();
        if state.calls.len() >= CALLS_CAP {
            state.calls.shift_remove_index(0);
        }
        let call = Call {
            boot: boot.to_owned(),
            function,
            session: None,
            event: None,
            stream: Stream::Doubtful,
            watched: Watched::Partly,
            leave: CancellationToken::new(),
            standing: Standing::Queued,
        };
        state.calls.insert(remote.to_owned(), call);
    }

    /// The app has it, under this id.
    pub(super) fn arrived(&self, remote: &str, event: &str) {
        self.change(remote, |call| {
            call.event = Some(event.to_owned());
            if call.stream == Stream::Doubtful {
                call.stream = Stream::Waiting;
            }
        });
    }

    /// The simple API took it: it is known by the app's id alone, and its stream is about to be opened.
    pub(super) fn taken(&self, remote: &str, event: &str) {
        self.change(remote, |call| {
            call.session = Some(event.to_owned());
            call.event = Some(event.to_owned());
            call.stream = Stream::Opened;
            call.standing = Standing::Started;
        });
    }

    /// The app works on it.
    pub(super) fn started(&self, remote: &str) {
        self.change(remote, |call| call.standing = Standing::Started);
    }

    /// Its stream is about to be opened: from here on there is no second look.
    pub(super) fn opening(&self, remote: &str) {
        self.change(remote, |call| call.stream = Stream::Opened);
    }

    /// The stream was not opened after all: the request never left, or the app knew no such session, so that no
    /// message can have been lost with it.
    pub(super) fn unopened(&self, remote: &str) {
        self.change(remote, |call| {
            call.stream = if call.event.is_some() { Stream::Waiting } else { Stream::Doubtful };
        });
    }

    /// Its stream ended without the end of the call, and we had watched all of it.
    pub(super) fn cut(&self, remote: &str) {
        let mut state = self.lock();
        let now = Instant::now();
        let last = state.last_dial.clone();
        let Some(call) = state.calls.get_mut(remote) else { return };
        // The next dial may have its answer before the stream's reader wakes.
        call.watched = match last {
            Some((at, dial)) if now - at <= DEATH_WINDOW && dial.proves_death_of(&call.boot) => {
                Watched::ToTheDeath
            }
            _ => Watched::ToTheEnd(now),
        };
    }

    /// A dial found this. The first one after the end of a stream tells what that end was.
    pub(super) fn dialed(&self, dial: Dial) {
        let mut state = self.lock();
        let now = Instant::now();
        for call in state.calls.values_mut() {
            let Watched::ToTheEnd(at) = call.watched else { continue };
            let death = now - at <= DEATH_WINDOW && dial.proves_death_of(&call.boot);
            call.watched = if death { Watched::ToTheDeath } else { Watched::Partly };
        }
        state.last_dial = Some((now, dial));
    }

    /// What is known of a call, asked by a session with this boot id.
    pub(super) fn fate(&self, remote: &str, boot: &str) -> Fate {
        let state = self.lock();
        let Some(call) = state.calls.get(remote) else { return Fate::Unknown };
        if call.boot != boot {
            return Fate::Gone { unfinished: call.watched == Watched::ToTheDeath };
        }
        match call.stream {
            Stream::Doubtful => Fate::Doubtful,
            Stream::Waiting => Fate::Waiting,
            Stream::Opened => Fate::Opened,
        }
    }

    /// What a cancellation of a call needs, where the call is known.
    pub(super) fn handle(&self, remote: &str) -> Option<Handle> {
        let state = self.lock();
        let call = state.calls.get(remote)?;
        let (function, standing, leave) = (call.function, call.standing, call.leave.clone());
        let session = call.session.clone().unwrap_or_else(|| remote.to_owned());
        Some(Handle { function, session, event: call.event.clone(), standing, leave })
    }

    /// A call is over; nothing more will be asked of it.
    pub(super) fn forget(&self, remote: &str) {
        self.lock().calls.shift_remove(remote);
    }

    fn change(&self, remote: &str, change: impl FnOnce(&mut Call)) {
        if let Some(call) = self.lock().calls.get_mut(remote) {
            change(call);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dial {
    /// Whether the process with this boot id is gone.
    fn proves_death_of(&self, boot: &str) -> bool {
        match self {
            Self::Refused => true,
            Self::Found(found) => found != boot,
            Self::Unclear => false,
        }
    }
}

#[cfg(test)]
mod tests;
