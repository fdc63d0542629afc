//! What came of the traffic to one backend, and what follows for pools.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    config::BackendConfig,
    connection::record::Record,
    health::history::History,
    hub::Hub,
    model::{BackendId, Code, Fault, status::Quantiles},
    net::witness::{Errand, Witness},
    pool::{
        breaker::{Breaker, Gate, Shown},
        outcome::Outcome,
        stir::Stir,
    },
};

/// What came of the traffic to one backend. It outlives the sessions.
pub(crate) struct Traffic {
    breaker: Mutex<Breaker>,
    /// Whether the breaker has something to say: a lease does not ask it before.
    speaks: AtomicBool,
    requests: Mutex<History>,
    rise: u32,
    stir: Arc<Stir>,
    backend: BackendId,
    hub: Arc<Hub>,
    /// Requests that the backend did not understand.
    doubts: Arc<AtomicU64>,
}

/// What requests came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RequestFigures {
    pub(crate) took_ms: Option<Quantiles>,
    pub(crate) success_rate: Option<f64>,
}

impl Traffic {
    pub(crate) fn new(config: &BackendConfig, stir: Arc<Stir>, record: &Record, hub: Arc<Hub>) -> Self {
        Self {
            breaker: Mutex::new(Breaker::new()),
            speaks: AtomicBool::new(false),
            requests: Mutex::new(History::new()),
            rise: config.probe.rise,
            stir,
            backend: config.id.clone(),
            hub,
            doubts: record.doubts.clone(),
        }
    }

    /// Takes what came of a request or a job.
    pub(crate) fn take(&self, outcome: &Outcome) {
        self.change(|breaker, now| breaker.take(outcome, self.rise, now));
    }

    /// A probe was answered.
    pub(crate) fn probed(&self) {
        if self.speaks.load(SeqCst) {
            self.change(|breaker, now| breaker.probed(self.rise, now));
        }
    }

    /// The session was lost. One that we ended ourselves is no loss.
    pub(crate) fn lost(&self, fault: &Fault) {
        if !matches!(fault.code(), Code::Cancelled | Code::Closing | Code::Paused) {
            self.change(|breaker, now| breaker.lost(fault, now));
        }
    }

    pub(crate) fn connected(&self) {
        self.change(Breaker::connected);
    }

    /// Whether work goes there now.
    pub(crate) fn gate(&self) -> Gate {
        if !self.speaks.load(SeqCst) {
            return Gate::Clear;
        }
        let breaker = self.lock();
        let gate = breaker.gate(Instant::now());
        if gate == Gate::Clear {
            // With the lock: whoever changes it next says so after us.
            self.speaks.store(false, SeqCst);
        }
        gate
    }

    /// Begins the one trial, where it may begin now; gives its number.
    pub(crate) fn begin_trial(&self) -> Option<u64> {
        self.lock().begin_trial(Instant::now())
    }

    pub(crate) fn end_trial(&self, number: u64) {
        self.change(|breaker, _| breaker.end_trial(number));
    }

    /// Whether the breaker has something to say.
    pub(crate) fn speaks(&self) -> bool {
        self.gate() != Gate::Clear
    }

    pub(crate) fn shown(&self) -> Shown {
        self.lock().shown(Instant::now())
    }

    pub(crate) fn figures(&self) -> RequestFigures {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        RequestFigures { took_ms: requests.latency_ms(), success_rate: requests.success_rate() }
    }

    fn change(&self, change: impl FnOnce(&mut Breaker, Instant)) {
        let mut breaker = self.lock();
        let now = Instant::now();
        change(&mut breaker, now);
        let speaks = breaker.gate(now) != Gate::Clear;
        let spoke = self.speaks.swap(speaks, SeqCst);
        drop(breaker);
        if speaks || spoke {
            self.stir.stir();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for Traffic {
    fn hears(&self, errand: Errand, outcome: Result<(), &Fault>, took: Duration) {
        let outcome = outcome.map_or_else(Outcome::of, |()| Outcome::Good);
        self.hub.meter.requested(self.backend.as_str(), outcome.as_str(), took);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        match (errand, &outcome) {
            (Errand::Lease, Outcome::Good | Outcome::Busy(_)) => requests.answered(took),
            (Errand::Lease, Outcome::Failed(_)) => requests.missed(),
            (_, Outcome::Good | Outcome::Busy(_)) => requests.took(took),
            (_, Outcome::Failed(_) | Outcome::Own) => {}
        }
        drop(requests);
        // What came of a job the job tells, once.
        if errand == Errand::Lease {
            self.take(&outcome);
        }
    }

    fn wonders(&self, errand: Errand) {
        // A job asks for what may be gone as a matter of course, and tells itself what it could not do.
        if errand == Errand::Lease {
            self.doubts.fetch_add(1, Relaxed);
            self.hub.notice_seen();
        }
    }
}
