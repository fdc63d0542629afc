//! The way from a target to a member: published members, the pool's own limit, what it counts.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use crate::{
    connection::slot::Slot,
    error::Error,
    pool::{
        Ask, Life,
        budget::Budget,
        figures::Figures,
        member::{Easing, Member, View, Width},
        pass::Pass,
        pick::{Entry, best_rank, pick},
        plan::Plan,
        standing::Standing,
        stir::Stir,
        ties::Ties,
    },
};
use arc_swap::{ArcSwap, Guard};

/// The way from a target to a member. The members are published by the pool's actor and read without waiting; what it
/// publishes outlives it.
pub(crate) struct Route {
    pub(crate) name: Arc<str>,
    plan: ArcSwap<Plan>,
    members: ArcSwap<Vec<Member>>,
    limit: AtomicU32,
    used: AtomicU32,
    pub(super) waiting: AtomicU32,
    pub(crate) figures: Figures,
    ties: Ties,
    budget: Mutex<Budget>,
    /// The pool is configured no more.
    removed: AtomicBool,
    stir: Arc<Stir>,
}

impl Route {
    /// A route whose members are published later. Routes with one actor share what wakes it.
    pub(crate) fn new(name: &str, plan: Plan, stir: Arc<Stir>) -> Arc<Self> {
        Self::with(name, plan, stir, Vec::new())
    }

    /// The way to one backend by its id.
    pub(crate) fn to_backend(slot: Arc<Slot>, stir: Arc<Stir>) -> Arc<Self> {
        let name = slot.config.id.to_string();
        Self::with(&name, Plan::Backend, stir, vec![Member::alone(slot)])
    }

    fn with(name: &str, plan: Plan, stir: Arc<Stir>, members: Vec<Member>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            plan: ArcSwap::from_pointee(plan),
            members: ArcSwap::from_pointee(members),
            limit: AtomicU32::new(u32::MAX),
            used: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            figures: Figures::default(),
            ties: Ties::default(),
            budget: Mutex::default(),
            removed: AtomicBool::new(false),
            stir,
        })
    }

    /// Changes who belongs to it and how many leases it gives; its actor carries that out.
    pub(crate) fn replan(&self, plan: Plan, limit: Option<u32>) {
        self.plan.store(Arc::new(plan));
        self.limit.store(limit.unwrap_or(u32::MAX), SeqCst);
        self.stir.stir();
    }

    pub(crate) fn plan(&self) -> Arc<Plan> {
        self.plan.load_full()
    }

    pub(crate) fn stir(&self) -> &Arc<Stir> {
        &self.stir
    }

    /// Publishes its members; tells whether they differ.
    pub(super) fn publish(&self, members: Vec<Member>) -> bool {
        let before = self.members.load();
        let same = before.len() == members.len() && before.iter().zip(&members).all(|(a, b)| a.is_same(b));
        if !same {
            self.members.store(Arc::new(members));
        }
        !same
    }

    pub(crate) fn members(&self) -> Guard<Arc<Vec<Member>>> {
        self.members.load()
    }

    /// Whether it is the way to one backend that was named.
    pub(crate) fn is_backend(&self) -> bool {
        matches!(**self.plan.load(), Plan::Backend)
    }

    /// Whether nothing will ever come of it: the one backend that was named is gone, or the pool is.
    pub(crate) fn is_gone(&self) -> bool {
        let gone = || self.members.load().iter().all(|member| member.slot.door.is_gone());
        self.is_removed() || (self.is_backend() && gone())
    }

    pub(super) fn is_removed(&self) -> bool {
        self.removed.load(SeqCst)
    }

    /// The pool is configured no more: leases that were given stay.
    pub(super) fn remove(&self) {
        self.removed.store(true, SeqCst);
    }

    /// Leases given through it.
    pub(crate) fn used(&self) -> u32 {
        self.used.load(SeqCst)
    }

    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(SeqCst)
    }

    pub(super) fn is_limited(&self) -> bool {
        self.limit.load(SeqCst) != u32::MAX
    }

    pub(super) fn is_full(&self) -> bool {
        self.used.load(SeqCst) >= self.limit.load(SeqCst)
    }

    /// Whether there is nothing to take, whoever asks.
    pub(super) fn is_spent(&self) -> bool {
        self.is_full() || self.members.load().iter().all(|member| member.slot.door.seats.free() == 0)
    }

    /// A place within the pool's own limit.
    pub(super) fn take_place(&self) -> bool {
        let limit = self.limit.load(SeqCst);
        let taken = self.used.fetch_update(SeqCst, SeqCst, |used| (used < limit).then_some(used + 1));
        self.stir.stir();
        taken.is_ok()
    }

    pub(super) fn give_place_back(&self) {
        self.used.fetch_sub(1, SeqCst);
        self.stir.stir();
    }

    /// A session with a free slot now, whoever waits.
    pub(super) fn try_take(self: &Arc<Self>, ask: &Ask) -> Option<Pass> {
        let members = self.members.load();
        let view = self.view(&members, ask);
        // Another may take what was picked: then there is one slot less to pick.
        for _ in 0..=members.len() {
            let picked = pick(members.len(), |at| members[at].look(&view), fastrand::f32)?;
            let Some(look) = members[picked].look(&view) else { continue };
            if let Some(pass) = Pass::take(self, &members[picked].slot, look.entry) {
                self.tie(ask, || pass.life());
                return Some(pass);
            }
            if self.is_full() {
                return None;
            }
        }
        None
    }

    /// How its members are looked at for an ask.
    pub(crate) fn view<'a>(&self, members: &[Member], ask: &'a Ask) -> View<'a> {
        let width = if self.is_backend() { Width::One } else { Width::Choice };
        let tied = ask.sticky.as_ref().and_then(|key| self.ties.of(key));
        let tie = tied.filter(|tie| members.iter().any(|member| member.has(tie)));
        View { ask, width, tie, easing: Easing::of(members) }
    }

    /// Remembers who goes on with the asker's state.
    pub(super) fn tie(&self, ask: &Ask, to: impl FnOnce() -> Life) {
        if let Some(key) = &ask.sticky {
            let members = self.members.load();
            self.ties.tie(key, to(), |life| members.iter().any(|member| member.has(life)));
        }
    }

    /// How a slot of this member may go to this ask now, if it may.
    pub(super) fn entry(&self, slot: &Arc<Slot>, ask: &Ask) -> Option<Entry> {
        let members = self.members.load();
        let view = self.view(&members, ask);
        let looks = || members.iter().map(|member| member.look(&view));
        let at = members.iter().position(|member| Arc::ptr_eq(&member.slot, slot))?;
        let look = members[at].look(&view)?;
        let best = members.len() == 1 || Some(look.rank) == best_rank(looks());
        best.then_some(look.entry)
    }

    /// How many retries there may be.
    pub(crate) fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a member takes turns with others on one card.
    pub(super) fn shares_a_card(&self) -> bool {
        self.members.load().iter().any(|member| member.slot.door.seats.card().is_some())
    }

    pub(super) fn has_member(&self, slot: &Slot) -> bool {
        self.members.load().iter().any(|member| std::ptr::eq(&*member.slot, slot))
    }

    /// Whether a member is, or may turn out to be, of a kind that will do.
    ///
    /// # Errors
    /// [`Error::NoneFits`].
    pub(crate) fn fits(&self, ask: &Ask) -> Result<(), Error> {
        let members = self.members.load();
        let fits = |member: &Member| ask.kinds.has(member.slot.kind());
        if self.is_backend() || members.is_empty() || members.iter().any(fits) {
            return Ok(());
        }
        Err(Error::NoneFits { target: self.name.to_string(), wanted: ask.kinds.to_string() })
    }

    /// Where each member stands for an ask, in words.
    pub(crate) fn standings(&self, ask: &Ask) -> Vec<Standing> {
        let members = self.members.load();
        let view = self.view(&members, ask);
        members.iter().map(|member| Standing::of(member, &view)).collect()
    }

    /// Why this member and not the others, as things are now.
    pub(crate) fn reason(&self, ask: &Ask, chosen: &Slot) -> String {
        let (first, others): (Vec<_>, Vec<_>) =
            self.standings(ask).into_iter().partition(|s| s.backend == chosen.config.id.as_str());
        first.iter().chain(&others).map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    /// Which wait it was, and why nothing was free.
    pub(crate) fn excuse(&self, ask: &Ask, waited: Duration) -> Error {
        let standings = self.standings(ask);
        let any_ready = standings.iter().any(|standing| standing.ready);
        let wait = match (any_ready, self.is_full()) {
            (true, true) => "a free slot of the pool",
            (true, false) => "a free slot",
            (false, _) => "a ready session",
        };
        let fault = standings.iter().find_map(|standing| standing.fault.clone()).filter(|_| !any_ready);
        let why = match (&standings[..], &fault) {
            ([], _) => "no backend is known to belong to it yet".to_owned(),
            ([_], Some(fault)) => fault.to_string(),
            ([only], None) => only.words.clone(),
            _ => standings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        };
        Error::Unavailable { target: self.name.to_string(), wait, waited, why, fault: fault.map(Box::new) }
    }
}
