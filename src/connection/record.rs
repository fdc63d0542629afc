//! What is shown of one backend: written by its connection and by health, published by the hub.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    config::BackendConfig,
    hub::{Haste, Hub},
    model::{
        BackendStatus, Channel, Epoch, Health, Identity, Names, Phase,
        status::{Breaker, Resources, Slots},
    },
    registry::Observed,
};

/// The shown state of one backend.
pub(crate) struct Record {
    status: Mutex<Arc<BackendStatus>>,
    /// What was seen of the backend: it outlives the sessions, and the registry's actor.
    observed: Mutex<Option<Arc<Observed>>>,
    /// Requests that the backend did not understand: what is known of it may be out of date.
    pub(crate) doubts: Arc<AtomicU64>,
    begun: jiff::Timestamp,
    hub: Arc<Hub>,
}

impl Record {
    pub(crate) fn new(config: &BackendConfig, hub: Arc<Hub>) -> Self {
        Self {
            status: Mutex::new(Arc::new(blank(config))),
            observed: Mutex::default(),
            doubts: Arc::default(),
            begun: jiff::Timestamp::now(),
            hub,
        }
    }

    /// Takes what the backend said of itself in a session, and shows it, with what else `change` shows.
    pub(crate) fn observe(&self, epoch: Epoch, identity: Identity, change: impl FnOnce(&mut BackendStatus)) {
        let identity = self.hub.stock.one(identity);
        let seen = {
            let mut observed = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
            let seen = Observed::after(observed.as_deref(), epoch, identity, jiff::Timestamp::now());
            observed.insert(Arc::new(seen)).clone()
        };
        self.update(|status| {
            seen.show(status);
            change(status);
        });
        self.hub.notice_seen();
    }

    /// Takes what was known of the backend before, where nothing was seen since.
    pub(crate) fn recall(&self, known: Arc<Observed>) {
        let mut observed = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        if observed.is_some() {
            return;
        }
        *observed = Some(known.clone());
        drop(observed);
        self.update(|status| known.show(status));
        self.hub.notice_seen();
    }

    /// What was last seen of the backend.
    pub(crate) fn observed(&self) -> Option<Arc<Observed>> {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// There may be more to see of the backend now.
    pub(crate) fn stir(&self) {
        self.hub.notice_seen();
    }

    /// The backend did not understand a request: what is known of it may be out of date.
    pub(crate) fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::Relaxed);
        self.hub.notice_seen();
    }

    /// How often that was so.
    pub(crate) fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::Relaxed)
    }

    /// Changes what is shown, and publishes it.
    pub(crate) fn update(&self, change: impl FnOnce(&mut BackendStatus)) {
        self.change(Haste::AtOnce, change);
    }

    /// As [`Self::update`], of figures that every probe moves: where they change nothing else, they are published with
    /// what comes next, and at the latest by [`Hub::settle`].
    pub(crate) fn note(&self, change: impl FnOnce(&mut BackendStatus)) {
        self.change(Haste::Figures, change);
    }

    fn change(&self, haste: Haste, change: impl FnOnce(&mut BackendStatus)) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever has the last one keeps it.
        change(Arc::make_mut(&mut status));
        // Published under the lock: two writers must not overtake each other on the way.
        self.hub.set_backend(status.clone(), haste);
    }

    /// What is shown now.
    pub(crate) fn shown(&self) -> Arc<BackendStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a session was opened in this run; what is shown may be remembered from an earlier one.
    pub(crate) fn was_connected(&self) -> bool {
        self.read(|status| status.connected_at.is_some_and(|at| at >= self.begun))
    }

    pub(crate) fn chronicle(&self) -> &crate::history::Chronicle {
        &self.hub.chronicle
    }

    pub(crate) fn meter(&self) -> &crate::meter::Meter {
        &self.hub.meter
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&BackendStatus) -> T) -> T {
        read(&self.status.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(crate) fn blank(config: &BackendConfig) -> BackendStatus {
    BackendStatus {
        id: config.id.clone(),
        kind: config.kind,
        url: config.url.to_string(),
        required: config.required,
        enabled: config.enabled,
        source: config.source,
        phase: Phase::Idle,
        reason: (!config.enabled).then(|| "disabled in the configuration".to_owned()),
        depends_on: config.depends_on.clone(),
        root_cause: None,
        health: Health::Unknown,
        channel: Channel::None,
        since: jiff::Timestamp::now(),
        connected_at: None,
        last_attempt_at: None,
        last_check_at: None,
        epoch: 0,
        observed_at: None,
        version: None,
        title: None,
        capabilities: Vec::new(),
        models: Names::default(),
        loaded: Vec::new(),
        functions: Names::default(),
        queue: None,
        slots: Slots { used: 0, limit: config.limits.slots },
        cordoned_at: None,
        latency_ms: None,
        request_ms: None,
        job_ms: None,
        success_rate: None,
        uptime: None,
        resources: Resources::default(),
        tokens: None,
        attempts: 0,
        next_attempt_at: None,
        breaker: Breaker::default(),
        last_error: None,
        restarts: 0,
        crashed_at: None,
    }
}
