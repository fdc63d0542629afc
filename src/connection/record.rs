//! What is shown of one backend: written by its connection and by health, published by the hub.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    config::BackendConfig,
    hub::Hub,
    model::{
        BackendStatus, Channel, Health, Phase,
        status::{Breaker, Resources, Slots},
    },
};

/// The shown state of one backend.
pub(crate) struct Record {
    status: Mutex<BackendStatus>,
    begun: jiff::Timestamp,
    hub: Arc<Hub>,
}

impl Record {
    pub(crate) fn new(config: &BackendConfig, hub: Arc<Hub>) -> Self {
        Self { status: Mutex::new(blank(config)), begun: jiff::Timestamp::now(), hub }
    }

    /// Changes what is shown, and publishes it where anything changed that a person sees.
    pub(crate) fn update(&self, change: impl FnOnce(&mut BackendStatus)) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut status);
        // Published under the lock: two writers must not overtake each other on the way.
        self.hub.set_backend(Arc::new(status.clone()));
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

fn blank(config: &BackendConfig) -> BackendStatus {
    BackendStatus {
        id: config.id.clone(),
        kind: config.kind,
        url: config.url.to_string(),
        required: config.required,
        enabled: config.enabled,
        source: config.source,
        phase: Phase::Idle,
        reason: (!config.enabled).then(|| "disabled in the configuration".to_owned()),
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
        models: Vec::new(),
        functions: Vec::new(),
        queue: None,
        slots: Slots { used: 0, limit: config.limits.slots },
        latency_ms: None,
        request_ms: None,
        job_ms: None,
        success_rate: None,
        uptime: None,
        resources: Resources::default(),
        attempts: 0,
        next_attempt_at: None,
        breaker: Breaker::default(),
        last_error: None,
        restarts: 0,
    }
}
