//! The queue of one boot: who waits, who runs, and whose messages are kept.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::sim::gradio::{
    Options, Version,
    envelope::Envelope,
    files::Disk,
    functions::{Does, Offer, offers},
    ledger::Ledger,
};

mod work;

/// One boot's queue.
pub(super) struct Engine {
    pub(super) version: Version,
    pub(super) options: Options,
    pub(super) app_id: u64,
    pub(super) disk: Arc<Disk>,
    pub(super) ledger: Arc<Ledger>,
    memory: Mutex<Memory>,
    tasks: Mutex<JoinSet<()>>,
}

#[derive(Default)]
struct Memory {
    /// Messages that wait for a stream, by session.
    boxes: HashMap<String, Arc<Mailbox>>,
    /// Calls of a session that are not over.
    open: HashMap<String, HashSet<String>>,
    /// What `count` keeps in the state of a session.
    counts: HashMap<String, u64>,
    groups: Vec<Group>,
    running: HashMap<String, Running>,
}

/// Calls that share a slot.
struct Group {
    name: &'static str,
    waiting: VecDeque<Call>,
    busy: bool,
}

/// One call.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) event: String,
    pub(super) session: String,
    pub(super) offer: &'static Offer,
    pub(super) data: Vec<Value>,
    pub(super) host: String,
}

struct Running {
    session: String,
    function: usize,
    /// Whether its stream may still be there.
    alive: bool,
    cancel: CancellationToken,
}

/// Messages that wait for a stream.
#[derive(Default)]
pub(super) struct Mailbox {
    messages: Mutex<VecDeque<Value>>,
    came: Notify,
}

impl Mailbox {
    fn put(&self, message: Value) {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).push_back(message);
        self.came.notify_one();
    }

    /// The next message. Two streams of a session get some each.
    pub(super) async fn take(&self) -> Value {
        loop {
            let next = self.messages.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match next {
                Some(message) => return message,
                None => self.came.notified().await,
            }
        }
    }
}

/// Why a call is not taken.
pub(super) enum Refused {
    Full(usize),
    NoFunction,
}

impl Engine {
    pub(super) fn new(version: Version, options: Options, ledger: Arc<Ledger>, disk: Arc<Disk>) -> Self {
        // Above 2^53, as many of the real ones are.
        let app_id = fastrand::u64(1 << 60..);
        let (memory, tasks) = Default::default();
        Self { version, options, app_id, disk, ledger, memory, tasks }
    }

    pub(super) fn envelope(&self) -> Envelope {
        Envelope(self.version)
    }

    /// Ends all work: the boot is over.
    pub(super) fn stop(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// Takes a call.
    pub(super) fn join(self: &Arc<Self>, function: u64, call: Call) -> Result<String, Refused> {
        let event = call.event.clone();
        let mut memory = self.lock();
        let size = memory.waiting();
        if size >= self.options.queue {
            return Err(Refused::Full(size));
        }
        let known = usize::try_from(function).ok().is_some_and(|f| f < offers(self.options.flavour).len());
        if !known {
            return Err(Refused::NoFunction);
        }
        memory.boxes.entry(call.session.clone()).or_default();
        memory.open.entry(call.session.clone()).or_default().insert(event.clone());
        // Functions without a group of their own have one slot each.
        let name = if call.offer.group.is_empty() { call.offer.title() } else { call.offer.group };
        let at = memory.groups.iter().position(|g| g.name == name).unwrap_or_else(|| {
            memory.groups.push(Group { name, waiting: VecDeque::new(), busy: false });
            memory.groups.len() - 1
        });
        memory.groups[at].waiting.push_back(call);
        let last = memory.groups[at].waiting.len() - 1;
        memory.estimate(at, last, self.envelope());
        self.pump(&mut memory);
        Ok(event)
    }

    /// Starts what may start.
    fn pump(self: &Arc<Self>, memory: &mut Memory) {
        for at in 0..memory.groups.len() {
            let group = &mut memory.groups[at];
            if group.busy {
                continue;
            }
            let Some(call) = group.waiting.pop_front() else { continue };
            group.busy = true;
            let cancel = CancellationToken::new();
            let function = function_of(call.offer, self.options.flavour);
            let running =
                Running { session: call.session.clone(), function, alive: true, cancel: cancel.clone() };
            memory.running.insert(call.event.clone(), running);
            memory.send(&call, self.envelope().starts());
            memory.estimate(at, 0, self.envelope());
            let engine = self.clone();
            self.spawn(async move { engine.process(at, call, cancel).await });
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Frees the slot of a call that is over.
    fn release(self: &Arc<Self>, group: usize, call: &Call) {
        let mut memory = self.lock();
        memory.running.remove(&call.event);
        memory.groups[group].busy = false;
        self.pump(&mut memory);
    }

    /// Whether anybody may still see what a call says.
    fn is_alive(&self, call: &Call) -> bool {
        self.lock().running.get(&call.event).is_some_and(|r| r.alive)
    }

    fn send(&self, call: &Call, message: Value) {
        self.lock().send(call, message);
    }

    /// Answers `POST /cancel`: the same whatever it is told.
    pub(super) fn cancel(&self, session: &str, function: usize, event: &str) {
        let mut memory = self.lock();
        for running in memory.running.values().filter(|r| r.session == session && r.function == function) {
            running.cancel.cancel();
        }
        let open = memory.open.get(session).is_some_and(|events| events.contains(event));
        // 4.44.1 and 5.29.0 leave a queued call where it is, and run it when its turn comes.
        if self.version == Version::V6_31_0 {
            memory.groups.iter_mut().for_each(|g| g.waiting.retain(|c| c.event != event));
        }
        if let (true, Some(mailbox)) = (open, memory.boxes.get(session)) {
            mailbox.put(addressed(self.envelope().cancelled(), event));
        }
    }

    /// The messages of a session; `None` where it is not known.
    pub(super) fn mailbox(&self, session: &str) -> Option<Arc<Mailbox>> {
        self.lock().boxes.get(session).cloned()
    }

    /// A stream delivered the end of a call: whether the session has no other.
    pub(super) fn delivered(&self, session: &str, event: &str) -> bool {
        let mut memory = self.lock();
        let Some(events) = memory.open.get_mut(session) else { return true };
        events.remove(event);
        events.is_empty()
    }

    /// A stream was lost: what waits is removed, what runs goes on unseen, and the session is forgotten.
    pub(super) fn lost(&self, session: &str) {
        let mut memory = self.lock();
        memory.boxes.remove(session);
        memory.open.remove(session);
        memory.groups.iter_mut().for_each(|g| g.waiting.retain(|c| c.session != session));
        memory.running.values_mut().filter(|r| r.session == session).for_each(|r| r.alive = false);
    }

    /// Counts one more in a session's state.
    fn count(&self, session: &str) -> u64 {
        let mut memory = self.lock();
        let count = memory.counts.entry(session.to_owned()).or_default();
        *count += 1;
        *count
    }

    /// The heartbeat of a session ended: its state goes.
    pub(super) fn forget(&self, session: &str) {
        self.lock().counts.remove(session);
    }

    /// Answers `queue/status`.
    pub(super) fn status(&self) -> Value {
        self.envelope().estimation(None, self.lock().waiting())
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn waiting(&self) -> usize {
        self.groups.iter().map(|g| g.waiting.len()).sum()
    }

    fn send(&self, call: &Call, message: Value) {
        if self.running.get(&call.event).is_some_and(|r| !r.alive) {
            return;
        }
        if let Some(mailbox) = self.boxes.get(&call.session) {
            mailbox.put(addressed(message, &call.event));
        }
    }

    /// Tells those who wait where they stand, from `first` on.
    fn estimate(&self, group: usize, first: usize, envelope: Envelope) {
        let waiting = &self.groups[group].waiting;
        for (rank, call) in waiting.iter().enumerate().skip(first) {
            self.send(call, envelope.estimation(Some(rank), waiting.len()));
        }
    }
}

fn addressed(mut message: Value, event: &str) -> Value {
    if let Some(slot) = message.get_mut("event_id") {
        *slot = json!(event);
    }
    message
}

fn function_of(offer: &Offer, flavour: crate::sim::gradio::Flavour) -> usize {
    offers(flavour).iter().position(|o| o.name == offer.name).unwrap_or_default()
}

impl Call {
    /// The first argument, by which the ledger knows a run.
    pub(super) fn prompt(&self) -> String {
        match self.data.get(usize::from(self.offer.does == Does::Count)) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    pub(super) fn steps(&self) -> u64 {
        match self.offer.does {
            Does::Generate | Does::Stream => self.data.get(1).and_then(Value::as_u64).unwrap_or(0),
            _ => 0,
        }
    }
}
