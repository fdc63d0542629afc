//! One backend as a member of a pool.

use std::sync::Arc;

use tokio::time::Instant;

use crate::{
    connection::slot::Slot,
    pool::{
        Life, Purpose,
        ask::Ask,
        breaker::Gate,
        pick::{Entry, Look, Rank},
    },
};

/// The part of its share that a member gets while a trial has to show whether it serves again.
const TRIAL_SHARE: f32 = 0.1;

/// How a member is looked at.
pub(crate) struct View<'a> {
    pub(crate) ask: &'a Ask,
    pub(crate) width: Width,
    /// The session that goes on with the asker's state, where it lives.
    pub(crate) tie: Option<Life>,
    /// Where members that came back stand beside one that was there before them.
    pub(crate) easing: Option<Easing>,
}

/// How far the members are that came back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Easing {
    now: Instant,
    /// The share of the one that is furthest: by it the others' are measured. Of two that both came back, the later one
    /// is the cold one; and two that came back together have equal shares.
    whole: f32,
}

impl Easing {
    /// Of these; `None` where all are equally far.
    pub(super) fn of(members: &[Member]) -> Option<Self> {
        let eased = |member: &Member| member.slot.ease.is_under_way();
        if members.len() < 2 || !members.iter().any(eased) {
            return None;
        }
        let now = Instant::now();
        let open = members.iter().filter(|member| member.slot.door.seats.is_open());
        let shares = open.map(|member| member.slot.ease.share(now));
        let (least, most) =
            shares.fold((1f32, 0f32), |(least, most), share| (least.min(share), most.max(share)));
        (least < most).then_some(Self { now, whole: most })
    }
}

/// Whether one backend was named, or a choice of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    One,
    Choice,
}

/// One backend as a member of a pool, as the pool's actor published it.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) slot: Arc<Slot>,
    /// Its share of the work, beside the others'.
    pub(crate) weight: u32,
    /// The models that it offers.
    pub(crate) models: Arc<[Arc<str>]>,
    /// Those of them that it has loaded.
    pub(crate) loaded: Arc<[Arc<str>]>,
}

impl Member {
    /// The only member of a backend's own route.
    pub(crate) fn alone(slot: Arc<Slot>) -> Self {
        Self { slot, weight: 1, models: Arc::default(), loaded: Arc::default() }
    }

    /// What there is to choose by; `None` where it will not do now, however free it is.
    pub(crate) fn look(&self, view: &View<'_>) -> Option<Look> {
        let (seats, ask) = (&self.slot.door.seats, view.ask);
        if !seats.is_open() || !self.admits(view) || view.tie.as_ref().is_some_and(|tie| !self.has(tie)) {
            return None;
        }
        let (rank, entry) = self.rank(view)?;
        Some(Look {
            rank,
            warm: ask.model.as_ref().is_some_and(|model| self.loaded.contains(model)),
            free: seats.free().min(self.allowed(view).saturating_sub(seats.used())),
            limit: self.allowed(view),
            weight: self.weight as f32
                * self.share(view)
                * if entry == Entry::Trial { TRIAL_SHARE } else { 1.0 },
            eased: self.share(view) < 1.0,
            entry,
        })
    }

    /// The share of its work that it gets so soon after a reconnect, while others have theirs whole.
    fn share(&self, view: &View<'_>) -> f32 {
        view.easing.map_or(1.0, |easing| self.slot.ease.share(easing.now) / easing.whole)
    }

    /// Slots that its share leaves.
    fn allowed(&self, view: &View<'_>) -> u32 {
        let limit = self.slot.door.seats.limit();
        match view.easing {
            None => limit,
            Some(_) => ((limit as f32 * self.share(view)).ceil() as u32).min(limit),
        }
    }

    /// `None` where it asked for a pause. Who names one backend gets it, whatever came of the work before.
    fn rank(&self, view: &View<'_>) -> Option<(Rank, Entry)> {
        let gate = if view.width == Width::One { Gate::Clear } else { self.slot.traffic.gate() };
        let (rank, entry) = match gate {
            Gate::Clear => (Rank::Fit, Entry::Plain),
            Gate::Trial => (Rank::Fit, Entry::Trial),
            Gate::Resting => (Rank::Resting, Entry::Plain),
            Gate::Ejected => (Rank::Ejected, Entry::Plain),
            Gate::Held => return None,
        };
        let avoided = view.ask.avoid.as_ref().is_some_and(|life| self.has(life));
        // What it would do for this ask may need the backend that is not there.
        let rank = if avoided || self.slot.lacks_another() { rank.max(Rank::Resting) } else { rank };
        Some(if self.lacks(view.ask) { (Rank::Unlike, Entry::Plain) } else { (rank, entry) })
    }

    /// Whether an ask may go there at all.
    pub(crate) fn admits(&self, view: &View<'_>) -> bool {
        let ask = view.ask;
        // Who names one backend hears from it which kind it is.
        let kind = view.width == Width::One || ask.kinds.has(self.slot.kind());
        let cordon = ask.purpose == Purpose::TakeUp || self.slot.cordoned_at().is_none();
        kind && cordon
    }

    /// Whether this is its session.
    pub(crate) fn has(&self, (backend, epoch): &Life) -> bool {
        *backend == self.slot.config.id && self.slot.door.epoch() == Some(*epoch)
    }

    /// Whether it is known not to offer the model.
    pub(crate) fn lacks(&self, ask: &Ask) -> bool {
        let offers = |model| self.models.is_empty() || self.models.contains(model);
        ask.model.as_ref().is_some_and(|model| !offers(model))
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.slot, &other.slot)
            && (self.weight, &self.models, &self.loaded) == (other.weight, &other.models, &other.loaded)
    }
}
