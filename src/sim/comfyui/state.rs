//! The memory of one boot: queue, history, sockets, cache.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;

use crate::sim::comfyui::{Version, cache::Cache, disk::Disk, prompt::Prompt, switches::Switches};

/// The most entries of history; older ones are dropped.
const HISTORY_CAP: usize = 10_000;

/// The most events on their way to sockets. The real server has no such limit; a test that needs more is wrong.
const OUTBOX_CAP: usize = 65_536;

/// The memory of one boot.
pub(super) struct State {
    pub(super) version: Version,
    pub(super) switches: Arc<Switches>,
    pub(super) disk: Arc<Disk>,
    /// Rung when the queue gained a prompt.
    pub(super) work: Notify,
    /// Random letters in the names of temporary files.
    pub(super) temp_prefix: String,
    outbox: mpsc::Sender<Event>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
pub(super) struct Memory {
    pub(super) pending: Vec<Prompt>,
    pub(super) running: Option<Prompt>,
    pub(super) history: IndexMap<String, Value>,
    /// Counts prompts from 0 at each start.
    pub(super) number: i64,
    pub(super) sockets: HashMap<String, Member>,
    /// The client of the last prompt that ran.
    pub(super) client: Option<String>,
    /// The node that runs.
    pub(super) node: Option<String>,
    pub(super) interrupt: Interrupt,
    pub(super) cache: Cache,
    pub(super) userdata: HashMap<String, bytes::Bytes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Interrupt {
    #[default]
    None,
    Asked,
}

/// A socket as the server knows it, by client id.
pub(super) struct Member {
    pub(super) line: mpsc::Sender<Parcel>,
    pub(super) flags: Map<String, Value>,
}

/// A message on its way to one socket, with the word that it was written.
pub(super) struct Parcel {
    pub(super) message: Message,
    pub(super) written: oneshot::Sender<()>,
}

/// Something for one socket, or for all.
pub(super) struct Event {
    pub(super) to: Option<String>,
    pub(super) body: EventBody,
}

impl Event {
    /// The prompt whose good end it tells.
    pub(super) fn success(&self) -> Option<&str> {
        let EventBody::Text(text) = &self.body else { return None };
        (text["type"] == "execution_success").then(|| text["data"]["prompt_id"].as_str())?
    }
}

pub(super) enum EventBody {
    Text(Value),
    Binary(Vec<u8>),
}

impl State {
    pub(super) fn new(
        version: Version,
        switches: Arc<Switches>,
        disk: Arc<Disk>,
    ) -> (Self, mpsc::Receiver<Event>) {
        let (outbox, events) = mpsc::channel(OUTBOX_CAP);
        let temp_prefix = std::iter::repeat_with(fastrand::lowercase).take(5).collect();
        let state = Self {
            version,
            switches,
            disk,
            work: Notify::new(),
            temp_prefix,
            outbox,
            memory: Mutex::default(),
        };
        (state, events)
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an event on its way; sockets get it in order, one after the other.
    pub(super) fn send(&self, to: Option<&str>, kind: &str, data: Value) {
        self.post(to, EventBody::Text(json!({"type": kind, "data": data})));
    }

    pub(super) fn post(&self, to: Option<&str>, body: EventBody) {
        if self.outbox.try_send(Event { to: to.map(str::to_owned), body }).is_err() {
            tracing::warn!("the simulated ComfyUI's events pile up; one is dropped");
        }
    }

    /// Tells every socket how much there is to do.
    pub(super) fn queue_changed(&self) {
        let status = self.memory().status();
        self.send(None, "status", json!({"status": status}));
    }
}

impl Memory {
    /// Running and pending together.
    pub(super) fn status(&self) -> Value {
        json!({"exec_info": {"queue_remaining": self.pending.len() + usize::from(self.running.is_some())}})
    }

    /// The prompt with the lowest number becomes the running one.
    pub(super) fn begin(&mut self) -> Option<Prompt> {
        let next = (0..self.pending.len())
            .min_by(|a, b| self.pending[*a].order().total_cmp(&self.pending[*b].order()))?;
        let prompt = self.pending.remove(next);
        self.running = Some(prompt.clone());
        Some(prompt)
    }

    pub(super) fn record(&mut self, id: String, entry: Value) {
        if self.history.len() >= HISTORY_CAP {
            self.history.shift_remove_index(0);
        }
        // A repeated id replaces its earlier run.
        self.history.shift_remove(&id);
        self.history.insert(id, entry);
    }
}

/// Milliseconds, as in events.
pub(super) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}
