//! Where frames meet the jobs that wait for them: one board a session.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::{
    backends::{
        Report, Sink,
        comfyui::{
            frame::Frame,
            watch::{Audience, Stage, Watch},
        },
    },
    model::{Channel, status::Queue},
};

/// One job that somebody waits for.
pub(super) struct Watcher {
    watch: Mutex<Watch>,
    sink: Arc<dyn Sink>,
    wish: Mutex<Wish>,
    /// Rung when the job ended by its events, or when there is a reason to poll now.
    pub(super) changed: Notify,
}

/// What we want of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Finish,
    /// Its cancellation was asked for: that it is gone then means that it was cancelled.
    Cancel,
}

/// Where frames meet the jobs that wait for them.
pub(super) struct Board {
    state: Mutex<State>,
    /// Rung when the socket has shown that it does not tell everything.
    pub(super) deaf: Notify,
}

struct State {
    /// The id that the server knows the present socket by.
    client: String,
    channel: Channel,
    watchers: HashMap<String, Arc<Watcher>>,
    /// The job that the server works on, as far as the socket said: older frames name none.
    current: Option<String>,
    heard: Heard,
    suspicion: Option<Heard>,
    unknown: u64,
}

/// What the last `status` frame said, and how many there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Heard {
    frames: u64,
    remaining: Option<u32>,
}

/// Takes a watcher off the board when its run ends.
pub(super) struct Post<'a> {
    board: &'a Board,
    id: String,
    pub(super) watcher: Arc<Watcher>,
}

impl Drop for Post<'_> {
    fn drop(&mut self) {
        self.board.lock().watchers.remove(&self.id);
    }
}

impl Watcher {
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Watch) -> T) -> T {
        act(&mut lock(&self.watch))
    }

    /// Feeds the watch and reports what it says, in one go, so that reports keep their order.
    pub(super) fn feed(&self, act: impl FnOnce(&mut Watch) -> Vec<Report>) {
        let mut watch = lock(&self.watch);
        for report in act(&mut watch) {
            self.sink.report(report);
        }
        if matches!(watch.stage(), Stage::Over(_)) {
            self.changed.notify_one();
        }
    }

    pub(super) fn report(&self, report: Report) {
        self.sink.report(report);
    }

    pub(super) fn wish(&self) -> Wish {
        *lock(&self.wish)
    }
}

impl Board {
    pub(super) fn new(client: String, channel: Channel) -> Self {
        let state = State {
            client,
            channel,
            watchers: HashMap::new(),
            current: None,
            heard: Heard::default(),
            suspicion: None,
            unknown: 0,
        };
        Self { state: Mutex::new(state), deaf: Notify::new() }
    }

    pub(super) fn client(&self) -> String {
        self.lock().client.clone()
    }

    pub(super) fn channel(&self) -> Channel {
        self.lock().channel
    }

    pub(super) fn set_channel(&self, channel: Channel) {
        self.lock().channel = channel;
    }

    /// The socket was replaced by one with another id: jobs that were sent under the old one are silent from now on.
    pub(super) fn new_client(&self, client: String) {
        let mut state = self.lock();
        state.client = client;
        state.current = None;
        state.heard = Heard::default();
        state.suspicion = None;
        for watcher in state.watchers.values() {
            watcher.with(Watch::lose_audience);
        }
    }

    /// Puts a job on the board before it is sent, so that no event of it is missed.
    pub(super) fn post(&self, id: &str, watch: Watch, sink: Arc<dyn Sink>) -> Post<'_> {
        let watcher = Arc::new(Watcher {
            watch: Mutex::new(watch),
            sink,
            wish: Mutex::new(Wish::Finish),
            changed: Notify::new(),
        });
        self.lock().watchers.insert(id.to_owned(), watcher.clone());
        Post { board: self, id: id.to_owned(), watcher }
    }

    /// The cancellation of a job was asked for.
    pub(super) fn wish_cancel(&self, id: &str) {
        if let Some(watcher) = self.lock().watchers.get(id) {
            *lock(&watcher.wish) = Wish::Cancel;
        }
    }

    /// Looks after a job now.
    pub(super) fn ring(&self, id: &str) {
        if let Some(watcher) = self.lock().watchers.get(id) {
            watcher.changed.notify_one();
        }
    }

    /// Takes one frame: to the job that it belongs to, at once, without waiting. A `status` gives the queue.
    pub(super) fn dispatch(&self, frame: &Frame) -> Option<Queue> {
        let (watcher, queue) = self.lock().route(frame);
        if let Some(watcher) = watcher {
            watcher.feed(|watch| watch.frame(frame));
        }
        queue
    }

    /// Compares what the server answers over HTTP with what the socket said.
    ///
    /// Each change of the queue is told to every socket. Where the two differ twice, and no `status` came between,
    /// the server has forgotten this socket: it still answers pings, and will never send an event again.
    pub(super) fn compare(&self, remaining: u32) {
        let mut state = self.lock();
        if state.channel != Channel::Live || state.heard.remaining == Some(remaining) {
            state.suspicion = None;
        } else if state.suspicion == Some(state.heard) {
            state.suspicion = None;
            self.deaf.notify_one();
        } else {
            state.suspicion = Some(state.heard);
        }
    }

    /// Changes of the queue that the socket told: as long as it stands still, no job of anybody ended.
    pub(super) fn changes(&self) -> u64 {
        self.lock().heard.frames
    }

    /// A job's events did not come although its fate did: the socket is deaf.
    pub(super) fn declare_deaf(&self) {
        if self.lock().channel == Channel::Live {
            self.deaf.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn route(&mut self, frame: &Frame) -> (Option<Arc<Watcher>>, Option<Queue>) {
        match frame {
            Frame::Status { remaining, .. } => {
                self.heard = Heard { frames: self.heard.frames + 1, remaining: Some(*remaining) };
                return (None, Some(split(*remaining)));
            }
            Frame::Unknown(kind) => {
                self.unknown += 1;
                tracing::debug!(kind, count = self.unknown, "a message of a type that is not known");
                return (None, None);
            }
            Frame::Executing { prompt: Some(prompt), node: None } => {
                let watcher = self.watchers.get(prompt).cloned();
                self.current = None;
                return (watcher, None);
            }
            _ => {}
        }
        match frame.prompt() {
            Some(prompt) => {
                self.current = Some(prompt.to_owned());
                (self.watchers.get(prompt).cloned(), None)
            }
            // A frame without a job belongs to the one that runs; after a reconnect only a lone job can be meant.
            None => {
                (self.current.as_ref().and_then(|id| self.watchers.get(id)).or(self.lone()).cloned(), None)
            }
        }
    }

    fn lone(&self) -> Option<&Arc<Watcher>> {
        if self.current.is_some() {
            return None;
        }
        let mut ours = self.watchers.values().filter(|w| w.with(|watch| watch.audience() == Audience::Ours));
        let first = ours.next();
        if ours.next().is_none() { first } else { None }
    }
}

/// The server counts running and pending together, and runs one at a time.
pub(super) fn split(remaining: u32) -> Queue {
    let running = remaining.min(1);
    Queue { running, pending: remaining - running }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
