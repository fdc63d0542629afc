//! The place of one backend: what outlives its connection's actor.

mod work;

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU8, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use backline_supervisors::{Down, Next};
use jiff::Timestamp;

pub(crate) use self::work::Cordon;
use crate::{
    backends::{Connector, Session, connector_for},
    config::BackendConfig,
    connection::{
        alarm::Task,
        backoff::Pacing,
        diagnosis,
        door::Door,
        ease::Ease,
        endpoint::{Endpoint, Endpoints},
        machine::{Memory, Patience},
        pace::Pace,
        record::Record,
    },
    hub::Hub,
    model::{
        BackendStatus, Breaker, Channel, Code, Epoch, Fault, Health, Kind, Phase, RootCause,
        status::LastError,
    },
    net::{Clients, witness::Sworn},
    pool::{card::Cards, line::Line, traffic::Traffic},
    settings::change::retuned,
};

/// The place of one backend. Its connection's actor may crash and be restarted; the slot keeps the door, the epochs,
/// the backoff, the connector with what it remembers, and what is shown.
pub(crate) struct Slot {
    /// As it was when the slot was made. What a live session can take may have changed since: see [`Self::settings`].
    pub(crate) config: Arc<BackendConfig>,
    settings: ArcSwap<BackendConfig>,
    pub(crate) door: Door,
    pub(crate) ease: Ease,
    /// What came of the work before.
    pub(crate) traffic: Arc<Traffic>,
    /// Shared with whoever goes to the same address.
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) record: Record,
    pub(crate) pace: Arc<Pace>,
    /// Who waits for a slot, here or elsewhere.
    pub(crate) line: Arc<Line>,
    /// What it turned out to be; as configured before.
    kind: AtomicU8,
    /// Which of the backends that it needs is not ready, as health found last.
    root_cause: ArcSwapOption<RootCause>,
    /// Milliseconds since 1970; 0 where it is not cordoned.
    cordoned: AtomicI64,
    memory: Mutex<Memory>,
    connector: Mutex<Option<Arc<dyn Connector>>>,
    dialer: Dialer,
    /// A link whose session was ended by us, while it closes its socket in good order.
    farewell: Mutex<Option<Task>>,
}

/// How long a link may take to close its socket: a server that finds its socket closed forgets the client at once,
/// one that finds it cut may remember it for hours.
const FAREWELL: Duration = Duration::from_secs(1);

/// Makes a backend's connector: the kind's own, or a virtual one in a test.
pub(crate) type Dialer =
    Arc<dyn Fn(&BackendConfig, Arc<Traffic>) -> Result<Arc<dyn Connector>, Fault> + Send + Sync>;

/// What the slots of one supervisor share.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) hub: Arc<Hub>,
    pub(crate) pace: Arc<Pace>,
    pub(crate) line: Arc<Line>,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) cards: Arc<Cards>,
    pub(crate) dialer: Dialer,
}

/// The connectors of the real kinds.
pub(crate) fn real_dialer() -> Dialer {
    let clients = Clients::default();
    Arc::new(move |config, traffic| {
        let mut target = config.target()?;
        (target.http.witness, target.http.clients) = (Some(Sworn(traffic)), clients.clone());
        Ok(diagnosis::connector(config, connector_for(target)?))
    })
}

impl Slot {
    pub(crate) fn new(config: Arc<BackendConfig>, common: &Common) -> Arc<Self> {
        // Epochs go on from the clock, so that those of an earlier process are never met again.
        Self::after(Epoch::new(first_epoch()), config, common)
    }

    /// The place of the same backend under other settings, with epochs that go on from this one's.
    pub(crate) fn successor(&self, config: Arc<BackendConfig>, common: &Common) -> Arc<Self> {
        let last = self.memory().epoch.max(Epoch::new(first_epoch()));
        let same = (self.config.kind, &self.config.url) == (config.kind, &config.url);
        let next = Self::after(last, config, common);
        next.cordon_from(self.cordoned.load(Relaxed));
        // At another address it may be another server.
        if let Some(known) = self.record.observed().filter(|_| same) {
            next.record.recall(known);
        }
        next
    }

    fn after(last: Epoch, config: Arc<BackendConfig>, common: &Common) -> Arc<Self> {
        let pacing = if config.url.is_loopback() { Pacing::Loopback } else { Pacing::Network };
        let patience = Patience { hang_limit: config.hang_limit, ..Patience::default() };
        // Hashing nothing with fresh keys: a seed of its own for each backend, without a global generator.
        let seed = RandomState::new().build_hasher().finish();
        let record = Record::new(&config, common.hub.clone());
        let traffic = Traffic::new(&config, common.line.stir.clone(), &record, common.hub.clone());
        let slot = Arc::new(Self {
            door: Door::new(config.limits.slots),
            ease: Ease::new(),
            traffic: Arc::new(traffic),
            endpoint: common.endpoints.at(&config.url.authority()),
            record,
            pace: common.pace.clone(),
            line: common.line.clone(),
            kind: AtomicU8::new(config.kind as u8),
            root_cause: ArcSwapOption::empty(),
            cordoned: AtomicI64::new(0),
            memory: Mutex::new(Memory::new(last, pacing, patience, seed)),
            connector: Mutex::new(None),
            dialer: common.dialer.clone(),
            farewell: Mutex::new(None),
            settings: ArcSwap::new(config.clone()),
            config,
        });
        if let Some(name) = &slot.config.exclusive {
            let card = common.cards.named(name);
            let number = card.join(Arc::downgrade(&slot));
            slot.door.seats.share(card, number);
        }
        slot
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The settings that count now.
    pub(crate) fn settings(&self) -> Arc<BackendConfig> {
        self.settings.load_full()
    }

    /// Takes over what a live session can take of new settings.
    pub(crate) fn retune(self: &Arc<Self>, wanted: &BackendConfig) {
        let now = Arc::new(retuned(&self.settings(), wanted));
        self.memory().patience.hang_limit = now.hang_limit;
        self.settings.store(now.clone());
        self.door.seats.set_limit(now.limits.slots);
        self.line.serve(self);
        self.record.update(|status| {
            status.required = now.required;
            status.source = now.source;
            status.depends_on.clone_from(&now.depends_on);
        });
    }

    /// The end of this place, once its connection is closed: nobody waits at its door any longer, and its HTTP
    /// client lets go of idle connections.
    pub(crate) fn vacate(&self) {
        *self.connector.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.door.leave(&Fault::new(Code::Closing, "the backend was removed, or its settings changed"));
        self.line.dismiss(self);
    }

    /// Lets leases in, those that wait first.
    pub(crate) fn admit(self: &Arc<Self>, epoch: Epoch, session: Arc<dyn Session>) {
        let returns = self.door.is_shut() && self.door.was_open();
        if returns {
            self.ease.begin();
        }
        self.kind.store(session.kind() as u8, Relaxed);
        self.traffic.connected();
        self.door.open(epoch, session);
        self.line.serve(self);
    }

    pub(crate) fn kind(&self) -> Kind {
        Kind::ALL[usize::from(self.kind.load(Relaxed)) % Kind::ALL.len()]
    }

    /// The connector, made at the first need: until its settings can be used each dial fails with the reason, and a
    /// re-check reads them anew (a key's file may have come).
    pub(crate) fn connector(&self) -> Result<Arc<dyn Connector>, Fault> {
        let mut connector = self.connector.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connector) = &*connector {
            return Ok(connector.clone());
        }
        let made = (self.dialer)(&self.config, self.traffic.clone())?;
        *connector = Some(made.clone());
        Ok(made)
    }

    /// The end, with the supervisor: gives up the connector, and with it the idle connections of its HTTP client, and
    /// speaks for a connection that was killed or set aside.
    pub(crate) fn hang_up(&self) {
        *self.connector.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let fault = Fault::new(Code::Closing, "Backline has stopped");
        self.shut(&fault);
        if self.record.read(|status| status.phase != Phase::Closed) {
            self.record.update(|status| show_absence(status, Phase::Closed, &fault, None));
        }
    }

    /// Lets a link end by itself, for a moment.
    pub(crate) fn part(&self, link: Task) {
        let farewell = Task::spawn(link.ended(FAREWELL));
        *self.farewell.lock().unwrap_or_else(PoisonError::into_inner) = Some(farewell);
    }

    /// Waits for a link that is closing.
    pub(crate) async fn parted(&self) {
        let farewell = self.farewell.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(farewell) = farewell {
            farewell.ended(FAREWELL).await;
        }
    }

    /// Speaks for the connection while no incarnation of its actor lives. Else the record would say `ready` over a
    /// session that is gone.
    pub(crate) fn went_down(&self, down: &Down<'_>) {
        let (phase, code, what) = match down.next {
            Next::Restart(_) => (Phase::Waiting, Code::Crashed, "is restarted"),
            Next::Quarantine(_) => (Phase::Quarantined, Code::CrashLoop, "is set aside"),
            _ => return self.shut(&Fault::new(Code::Closing, "the connection is closed")),
        };
        let fault = Fault::new(code, format!("the connection's actor {}; it {what}", down.exit));
        self.shut(&fault);
        let next = match down.next {
            Next::Restart(at) | Next::Quarantine(at) => Some(wall(at)),
            _ => None,
        };
        let now = Timestamp::now();
        self.record.update(|status| {
            show_absence(status, phase, &fault, next);
            status.restarts = down.restarts;
            status.crashed_at = Some(now);
            status.last_error = Some(LastError::new(&fault, now));
            status.breaker = open_breaker(fault.message(), next);
        });
    }
}

/// No incarnation lives, so there is no session.
fn show_absence(status: &mut BackendStatus, phase: Phase, why: &Fault, next: Option<Timestamp>) {
    if status.phase != phase {
        status.since = Timestamp::now();
    }
    status.phase = phase;
    status.reason = Some(why.message().to_owned());
    status.root_cause = None;
    status.health = Health::Unknown;
    status.channel = Channel::None;
    status.queue = None;
    status.slots.used = 0;
    status.next_attempt_at = next;
}

/// While there is no session the breaker's trial is the next dial: one timer, shown in both fields.
pub(crate) fn open_breaker(reason: &str, next: Option<Timestamp>) -> Breaker {
    Breaker {
        state: crate::model::status::BreakerState::Open,
        reason: Some(reason.to_owned()),
        next_trial_at: next,
    }
}

/// A time of the monotonic clock as a time of the wall clock, for showing.
pub(crate) fn wall(at: tokio::time::Instant) -> Timestamp {
    let wait = at.saturating_duration_since(tokio::time::Instant::now());
    Timestamp::now().saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Milliseconds since 2020, shifted so that small counts of dials never reach the next process's.
fn first_epoch() -> u64 {
    const Y2020: i64 = 1_577_836_800_000;
    u64::try_from(Timestamp::now().as_millisecond() - Y2020).unwrap_or_default()
}
