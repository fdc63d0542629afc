//! Where state comes together: one snapshot that readers load without waiting, and one numbered stream of events.
//!
//! Each fact has one writer (a connection its backend, the jobs actor its counts, the tree its shape); the hub numbers
//! what they write and publishes it.

mod changes;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use backline_supervisors::TreeSnapshot;
use indexmap::IndexMap;
use jiff::Timestamp;
use tokio::{
    sync::{broadcast, watch},
    time::Instant,
};

use self::changes::{changes, moves};
use crate::{
    history::Chronicle,
    meter::Meter,
    model::{BackendId, BackendStatus, Event, EventBody, JobState, PoolStatus, Snapshot},
    notices::Toll,
    registry::Stock,
};

/// Events kept for a reader that comes back.
const REPLAY: usize = 1024;
/// Events that a slow reader may be behind before it is told what it missed.
const LAG: usize = 1024;
/// Figures alone are published so often: each snapshot lists all backends, and whoever follows it looks at them all.
const FIGURES: Duration = Duration::from_secs(1);

/// The snapshot and the events of one supervisor.
pub struct Hub {
    state: Mutex<State>,
    latest: watch::Sender<Arc<Snapshot>>,
    events: broadcast::Sender<Arc<Event>>,
    /// The metrics of the same supervisor.
    pub meter: Meter,
    /// What work came to, for the notices.
    pub(crate) toll: Toll,
    /// What was, of each backend.
    pub(crate) chronicle: Chronicle,
    /// Moves when the backends, their phases or their abilities change.
    pub(crate) moves: watch::Sender<u64>,
    /// What backends said of themselves, each saying once.
    pub(crate) stock: Stock,
    /// Counts what was seen of backends, and changes of their set.
    pub(crate) seen: watch::Sender<u64>,
}

struct State {
    revision: u64,
    backends: IndexMap<BackendId, Arc<BackendStatus>>,
    pools: Vec<PoolStatus>,
    jobs: BTreeMap<JobState, u64>,
    tree: Arc<TreeSnapshot>,
    replay: VecDeque<Arc<Event>>,
    run: Arc<str>,
    /// When the last snapshot was published.
    published_at: Instant,
    /// Whether figures changed since.
    figures_wait: bool,
}

/// How soon a change has to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Haste {
    AtOnce,
    /// It may wait for a second.
    Figures,
}

/// What a reader that comes back gets.
pub enum Resumed {
    /// What it missed, in order; then the stream goes on.
    Replay(Vec<Arc<Event>>),
    /// Too old, or of another run: only the snapshot helps.
    Resync(Arc<Snapshot>),
}

impl Hub {
    pub(crate) fn new(tree: TreeSnapshot) -> Self {
        let state = State {
            revision: 0,
            backends: IndexMap::new(),
            pools: Vec::new(),
            jobs: JobState::ALL.into_iter().map(|s| (s, 0)).collect(),
            tree: Arc::new(tree),
            replay: VecDeque::new(),
            run: uuid::Uuid::new_v4().simple().to_string().into(),
            published_at: Instant::now(),
            figures_wait: false,
        };
        let latest = watch::Sender::new(Arc::new(state.snapshot()));
        Self {
            state: Mutex::new(state),
            latest,
            events: broadcast::channel(LAG).0,
            meter: Meter::new(),
            toll: Toll::new(),
            chronicle: Chronicle::new(),
            moves: watch::Sender::new(0),
            stock: Stock::default(),
            seen: watch::Sender::new(0),
        }
    }

    /// All that is known now; never waits for an actor.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.latest.borrow().clone()
    }

    /// The snapshot as a cell: the latest wins.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.latest.subscribe()
    }

    /// The events from here on; a reader that is too slow is told how many it missed.
    pub fn events(&self) -> broadcast::Receiver<Arc<Event>> {
        self.events.subscribe()
    }

    /// The events after `revision` of the run `run`, and from here on, without a gap between.
    pub fn resume(&self, run: &str, revision: u64) -> (Resumed, broadcast::Receiver<Arc<Event>>) {
        let state = self.lock();
        let receiver = self.events.subscribe();
        let oldest = state.replay.front().map_or(state.revision + 1, |e| e.revision);
        let known = run == &*state.run && revision <= state.revision && revision + 1 >= oldest;
        let resumed = if known {
            Resumed::Replay(state.replay.iter().filter(|e| e.revision > revision).cloned().collect())
        } else {
            Resumed::Resync(self.snapshot())
        };
        (resumed, receiver)
    }

    /// Sets the backends' order and drops who is gone.
    pub(crate) fn set_backends(&self, order: Vec<Arc<BackendStatus>>) {
        let mut state = self.lock();
        let after = order.into_iter().map(|status| (status.id.clone(), status)).collect();
        let before = std::mem::replace(&mut state.backends, after);
        let after = &state.backends;
        self.chronicle.retain(|id| after.contains_key(id));
        let gone = before.keys().filter(|id| !after.contains_key(*id)).cloned();
        let new = after.keys().filter(|id| !before.contains_key(*id)).cloned();
        let gone = gone.map(|backend| EventBody::BackendRemoved { backend });
        let bodies = gone.chain(new.map(|backend| EventBody::BackendAdded { backend })).collect();
        self.publish(&mut state, bodies);
        self.moves.send_modify(|moves| *moves += 1);
        drop(state);
        self.notice_seen();
    }

    /// Something was seen of a backend that is not in the snapshot.
    pub(crate) fn notice_seen(&self) {
        self.seen.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Replaces one backend's status; its changes of phase, health and abilities become events.
    pub(crate) fn set_backend(&self, status: Arc<BackendStatus>, haste: Haste) {
        let mut state = self.lock();
        let Some(place) = state.backends.get_mut(&status.id) else { return };
        let before = std::mem::replace(place, status.clone());
        if before.phase != status.phase {
            self.chronicle.entered(&status);
        }
        let bodies = changes(&before, &status);
        let moved = moves(&before) != moves(&status);
        if haste == Haste::Figures && bodies.is_empty() && !moved {
            state.figures_wait = true;
            return self.publish_figures(&mut state);
        }
        self.publish(&mut state, bodies);
        if moved {
            self.moves.send_modify(|moves| *moves += 1);
        }
    }

    /// Publishes figures that wait, where it is time.
    pub(crate) fn settle(&self) {
        self.publish_figures(&mut self.lock());
    }

    fn publish_figures(&self, state: &mut State) {
        if state.figures_wait && state.published_at.elapsed() >= FIGURES {
            self.publish(state, Vec::new());
        }
    }

    /// Shows a pool, after the others where it is new.
    pub(crate) fn set_pool(&self, pool: PoolStatus) {
        let mut state = self.lock();
        let place = state.pools.iter().position(|known| known.id == pool.id);
        match place {
            Some(at) if state.pools[at] == pool => return,
            Some(at) => state.pools[at] = pool.clone(),
            None => state.pools.push(pool.clone()),
        }
        self.publish(&mut state, vec![EventBody::PoolChanged(Box::new(pool))]);
    }

    /// Drops a pool that is no more.
    pub(crate) fn drop_pool(&self, id: &str) {
        let mut state = self.lock();
        state.pools.retain(|pool| &*pool.id != id);
        self.publish(&mut state, Vec::new());
    }

    /// Replaces the tree's shape.
    pub(crate) fn set_tree(&self, tree: Arc<TreeSnapshot>) {
        let mut state = self.lock();
        state.tree = tree;
        self.publish(&mut state, Vec::new());
    }

    /// Moves a job from one state's count to another's.
    pub(crate) fn move_job(&self, from: Option<JobState>, to: JobState, body: EventBody) {
        let mut state = self.lock();
        if let Some(count) = from.and_then(|from| state.jobs.get_mut(&from)) {
            *count = count.saturating_sub(1);
        }
        *state.jobs.entry(to).or_default() += 1;
        self.publish(&mut state, vec![body]);
    }

    /// Tells an event that changes nothing in the snapshot.
    pub(crate) fn tell(&self, body: EventBody) {
        let mut state = self.lock();
        self.publish(&mut state, vec![body]);
    }

    /// Numbers the events and publishes the snapshot first, so that whoever hears an event finds it there.
    fn publish(&self, state: &mut State, bodies: Vec<EventBody>) {
        let at = Timestamp::now();
        let mut events = Vec::with_capacity(bodies.len());
        for body in bodies {
            state.revision += 1;
            events.push(Arc::new(Event { revision: state.revision, at, body }));
        }
        (state.published_at, state.figures_wait) = (Instant::now(), false);
        self.latest.send_replace(Arc::new(state.snapshot()));
        for event in events {
            if state.replay.len() == REPLAY {
                state.replay.pop_front();
            }
            state.replay.push_back(event.clone());
            // Nobody listening is no error.
            let _ = self.events.send(event);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn snapshot(&self) -> Snapshot {
        let backends: Vec<_> = self.backends.values().cloned().collect();
        Snapshot {
            run: self.run.clone(),
            revision: self.revision,
            at: Timestamp::now(),
            overall: Snapshot::judge(&backends),
            backends,
            pools: self.pools.clone(),
            jobs: self.jobs.clone(),
            tree: self.tree.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
