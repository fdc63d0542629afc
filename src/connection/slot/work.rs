//! How much work a backend takes, as far as its place knows: a person's cordon, the jobs of others, what is in use, what
//! came of the work before.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use jiff::Timestamp;

use super::{Slot, wall};
use crate::model::{
    Breaker, Fault, Kind, Phase, RootCause,
    status::{Queue, Slots},
};

/// Whether a backend takes something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cordon {
    /// It does not.
    On,
    /// It does.
    Off,
}

impl Slot {
    /// Takes nothing new from now on, or again.
    pub(crate) fn cordon(self: &Arc<Self>, cordon: Cordon) {
        let now = match (cordon, self.cordoned_at()) {
            (Cordon::On, Some(_)) | (Cordon::Off, None) => return,
            (Cordon::On, None) => Timestamp::now().as_millisecond(),
            (Cordon::Off, Some(_)) => 0,
        };
        self.cordon_from(now);
        self.line.serve(self);
    }

    /// An earlier run left it cordoned.
    #[cfg(feature = "state")]
    pub(crate) fn cordon_again(&self, since: Timestamp) {
        if self.cordoned_at().is_none() {
            self.cordon_from(since.as_millisecond());
        }
    }

    pub(super) fn cordon_from(&self, since: i64) {
        self.cordoned.store(since, Relaxed);
        let since = self.cordoned_at();
        self.record.update(|status| status.cordoned_at = since);
    }

    /// Since when it takes nothing new, where a person wants that.
    pub(crate) fn cordoned_at(&self) -> Option<Timestamp> {
        let since = self.cordoned.load(Relaxed);
        Timestamp::from_millisecond(since).ok().filter(|_| since != 0)
    }

    /// Whether it needs others.
    pub(crate) fn needs_others(&self) -> bool {
        !self.settings.load().depends_on.is_empty()
    }

    /// Which of the backends that it needs is not ready.
    pub(crate) fn root_cause(&self) -> Option<Arc<RootCause>> {
        self.root_cause.load_full()
    }

    /// Whether one of those is not ready.
    pub(crate) fn lacks_another(&self) -> bool {
        self.root_cause.load().is_some()
    }

    /// Takes what health found of the backends that it needs, for the connection to show.
    pub(crate) fn blame(&self, root: Option<RootCause>) {
        self.root_cause.store(root.map(Arc::new));
    }

    /// The backend told how long its queue is. What is not ours there takes slots.
    pub(crate) fn queued(self: &Arc<Self>, queue: Queue) {
        let ours = self.door.session().map_or(0, |(_, session)| session.in_flight());
        let all = queue.running.saturating_add(queue.pending);
        if self.door.seats.set_foreign(all.saturating_sub(u32::try_from(ours).unwrap_or(u32::MAX))) {
            self.line.serve(self);
        }
    }

    /// Shows how many slots are in use, where that changed.
    pub(crate) fn show_slots(&self) {
        let (used, limit) = self.door.slots();
        let now = Slots { used, limit };
        if self.record.read(|status| status.slots != now) {
            self.record.update(|status| status.slots = now);
        }
    }

    /// The session was lost.
    pub(crate) fn lost(&self, why: &Fault) {
        self.shut(why);
        self.traffic.lost(why);
        if self.record.read(|status| !status.loaded.is_empty()) {
            self.record.update(|status| status.loaded.clear());
        }
    }

    /// Ends its session; who shares its card may have it now.
    pub(crate) fn shut(&self, why: &Fault) {
        self.door.shut(why);
        if let Some((card, _)) = self.door.seats.card() {
            card.slots().iter().for_each(|slot| self.line.serve(slot));
        }
    }

    /// It has done work with this model, so that it has it loaded. A LiteLLM loads none.
    pub(crate) fn worked_with(&self, model: &str) {
        let news = self.record.read(|status| status.loaded.len() != 1 || status.loaded[0] != model);
        if news && self.kind() != Kind::Litellm {
            self.record.update(|status| status.loaded = vec![model.to_owned()]);
        }
    }

    /// Whether others go to the same address.
    pub(crate) fn shares_endpoint(&self) -> bool {
        Arc::strong_count(&self.endpoint) > 1
    }

    /// What pools make of what came of the work before.
    pub(crate) fn breaker(&self) -> Breaker {
        let shown = self.traffic.shown();
        Breaker { state: shown.state, reason: shown.why, next_trial_at: shown.until.map(wall) }
    }

    /// Shows what came of the traffic, where that changed.
    pub(crate) fn show_traffic(&self) {
        let (breaker, figures) = (self.breaker(), self.traffic.figures());
        let news = self.record.read(|status| {
            let ready = status.phase == Phase::Ready;
            let same = (&status.breaker.state, &status.breaker.reason) == (&breaker.state, &breaker.reason);
            (ready && !same, status.request_ms != figures.took_ms)
        });
        if news != (false, false) {
            self.record.update(|status| {
                if news.0 {
                    status.breaker = breaker;
                }
                status.request_ms = figures.took_ms;
                status.success_rate = figures.success_rate.or(status.success_rate);
            });
        }
    }
}
