//! The watcher: looks at the snapshot when it changed, and says at the desk what a person should know.
//!
//! It follows the snapshot's cell, not the events: the cell always holds the end state and nothing queues up. A child
//! of the tree, set aside like a backend where it crashes: its next incarnation, or the next look, makes good what was
//! missed, since each look names all that may stay open.

use std::{collections::HashMap, sync::Arc, time::Duration};

use backline_supervisors::{NodeState, TreeSnapshot};
use indexmap::IndexMap;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::watch, time::Instant};

use crate::{
    connection::alarm::Task,
    hub::Hub,
    model::{BackendId, BackendStatus, Code, Severity, Snapshot},
    notices::{
        clock::Pace,
        derive::owns,
        desk::Desk,
        disk::Disk,
        draft::Draft,
        group::Group,
        labour::{Labour, is_of_jobs},
        moment::Moment,
        moot::is_moot,
        watched::{Common, Watched},
    },
    settings::standing::Standing,
    state::Store,
};

/// Between looks: what changes faster is seen together.
const BEAT: Duration = Duration::from_millis(50);
/// A look at least this often.
const IDLE: Duration = Duration::from_secs(600);

pub(crate) enum Msg {
    Look,
    /// What an earlier run left; an error is tried again.
    #[cfg(feature = "state")]
    Restored(Result<super::table::Rows, crate::state::Trouble>),
}

pub(crate) struct Watcher;

/// What the watcher works with.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) desk: Desk,
    pub(crate) hub: Arc<Hub>,
    pub(crate) store: Option<Store>,
    /// What is configured: limits, the webhook, and whether every backend of an earlier run is there again.
    pub(crate) standing: Arc<Standing>,
}

pub(crate) struct State {
    myself: ActorRef<Msg>,
    desk: Desk,
    hub: Arc<Hub>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    changes: watch::Receiver<u64>,
    settled: watch::Receiver<bool>,
    /// In the snapshot's order. Boxed: half of a map's places are empty.
    cases: IndexMap<BackendId, Box<Watched>>,
    common: Option<Common>,
    labour: Labour,
    toll: watch::Receiver<u64>,
    standing: Arc<Standing>,
    quarantined: Vec<String>,
    pace: Pace,
    disk: Option<Disk>,
    #[cfg(feature = "state")]
    keeper: Option<super::keep::Keeper>,
    /// One wait at a time, so that no looks queue up.
    wait: Option<Task>,
}

impl Actor for Watcher {
    type Msg = Msg;
    type State = State;
    type Arguments = Setup;

    async fn pre_start(&self, myself: ActorRef<Msg>, setup: Setup) -> Result<State, ActorProcessingErr> {
        Ok(State {
            myself,
            snapshots: setup.hub.watch(),
            changes: setup.desk.changes(),
            desk: setup.desk,
            settled: setup.standing.settled.subscribe(),
            toll: setup.hub.toll.changes(),
            hub: setup.hub,
            standing: setup.standing,
            labour: Labour::default(),
            disk: setup.store.as_ref().map(Disk::new),
            #[cfg(feature = "state")]
            keeper: setup.store.map(super::keep::Keeper::new),
            cases: IndexMap::new(),
            common: None,
            quarantined: Vec::new(),
            pace: Pace::new(Moment::now()),
            wait: None,
        })
    }

    async fn post_start(&self, _: ActorRef<Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.look();
        Ok(())
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, state: &mut State) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Look => {}
            #[cfg(feature = "state")]
            Msg::Restored(outcome) => {
                if let Some(keeper) = &mut state.keeper {
                    keeper.restored(&state.desk, outcome);
                }
            }
        }
        state.look();
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        #[cfg(feature = "state")]
        if let Some(keeper) = &mut state.keeper {
            keeper.save(&state.desk);
        }
        state.wait = None;
        Ok(())
    }
}

impl State {
    fn look(&mut self) {
        let now = Moment::now();
        let snapshot = self.snapshots.borrow_and_update().clone();
        self.changes.mark_unchanged();
        let mut due = self.look_at_clock(now);
        self.look_at_tree(&snapshot.tree);
        due = [due, self.look_at_backends(&snapshot, now), self.look_at_work(&snapshot, now.tick)]
            .into_iter()
            .flatten()
            .min();
        let settled = *self.settled.borrow_and_update();
        let settings = self.standing.now();
        self.desk.clear_where(|group| {
            !self.may_stay(settled, group) || is_moot(group, &settings, &snapshot, settled)
        });
        let disk = self.disk.as_mut().and_then(|disk| disk.look(&self.desk, now.tick));
        due = [due, disk, self.desk.catch_up(), self.keep(now.tick)].into_iter().flatten().min();
        self.wait(due.map_or(now.tick + IDLE, |due| due.min(now.tick + IDLE)));
    }

    fn look_at_backends(&mut self, snapshot: &Snapshot, now: Moment) -> Option<Instant> {
        let common = Common {
            any_required: snapshot.backends.iter().any(|b| b.enabled && b.required),
            config: self.standing.now().config.clone(),
        };
        let as_before = self.common.replace(common.clone()).is_some_and(|before| before == common);
        if !self.cases.keys().eq(snapshot.backends.iter().map(|status| &status.id)) {
            let mut before = std::mem::take(&mut self.cases);
            let place = |status: &Arc<BackendStatus>| {
                (status.id.clone(), before.swap_remove(&status.id).unwrap_or_default())
            };
            self.cases = snapshot.backends.iter().map(place).collect();
        }
        let mut suffering = HashMap::<_, Vec<_>>::new();
        for status in &snapshot.backends {
            if let Some(root) = &status.root_cause {
                suffering.entry(&root.backend).or_default().push(status);
            }
        }
        let mut next = None;
        for (status, watched) in snapshot.backends.iter().zip(self.cases.values_mut()) {
            let dependents = suffering.remove(&status.id).unwrap_or_default();
            if !(as_before && dependents.is_empty() && watched.is_as_seen(status, now.tick)) {
                let terms = common.terms(status, &dependents);
                watched.look(status, terms, now).into_iter().for_each(|draft| self.desk.raise(draft));
            }
            next = [next, watched.due()].into_iter().flatten().min();
        }
        next
    }

    /// What jobs met since the last look.
    fn look_at_work(&mut self, snapshot: &Snapshot, now: Instant) -> Option<Instant> {
        self.toll.mark_unchanged();
        for heard in self.hub.toll.take() {
            if let Some(draft) = self.labour.hear(heard, snapshot, now) {
                self.desk.raise(draft);
            }
        }
        self.labour.look(snapshot, now)
    }

    /// Whether an open notice still holds, as far as that is judged here.
    fn may_stay(&self, settled: bool, group: &Group) -> bool {
        if is_of_jobs(group) {
            return self.labour.holds(group);
        }
        if group.code == Code::WebhookFailing {
            return self.standing.now().config.notices.webhook.is_some();
        }
        let Some(backend) = &group.backend else { return true };
        if !owns(group.code) {
            return true;
        }
        // It is no backend any more; until all are there again nobody can say so.
        self.cases.get(backend).map_or(!settled, |watched| watched.keeps(group.code))
    }

    /// Actors of the tree that are set aside; backends speak for themselves.
    fn look_at_tree(&mut self, tree: &TreeSnapshot) {
        let aside = |c: &&TreeSnapshot| c.state == NodeState::Quarantined;
        let children: Vec<_> = tree.children.iter().filter(aside).collect();
        for child in &children {
            if !self.quarantined.contains(&child.id) {
                let draft = Draft::new(Code::CrashLoop, Severity::Error).subject(&child.id);
                let exit = child.last_exit.as_ref().map(|e| format!(": {e}")).unwrap_or_default();
                self.desk.raise(draft.message(format!("Backline's part `{}` is set aside{exit}", child.id)));
            }
        }
        self.quarantined = children.iter().map(|c| c.id.clone()).collect();
        let quarantined = &self.quarantined;
        let over = |subject: Option<&str>| subject.is_none_or(|own| quarantined.iter().all(|id| id != own));
        self.desk.clear_subjects(Code::CrashLoop, None, over);
    }

    fn look_at_clock(&mut self, now: Moment) -> Option<Instant> {
        if let Some(jump) = self.pace.look(now) {
            self.desk.raise(jump);
        }
        if self.pace.is_calm(now.tick) {
            self.desk.clear(Code::ClockJump, None);
        }
        self.pace.due()
    }

    /// Restores first, then writes down what changed, gathered for a moment.
    #[cfg(feature = "state")]
    fn keep(&mut self, now: Instant) -> Option<Instant> {
        self.keeper.as_mut()?.turn(&self.desk, &self.myself, now)
    }

    #[cfg(not(feature = "state"))]
    #[expect(clippy::unused_self, reason = "it is the other build's")]
    fn keep(&mut self, _: Instant) -> Option<Instant> {
        None
    }

    /// Waits for the next look: at a change, or at a time.
    fn wait(&mut self, due: Instant) {
        let (myself, mut snapshots, mut changes) =
            (self.myself.clone(), self.snapshots.clone(), self.changes.clone());
        let mut disk = self.disk.as_ref().map(Disk::changes);
        let (mut settled, mut toll) = (self.settled.clone(), self.toll.clone());
        self.wait = Some(Task::spawn(async move {
            tokio::time::sleep(BEAT).await;
            tokio::select! {
                // A hub or desk that is gone: the tree ends.
                _ = snapshots.changed() => {}
                _ = changes.changed() => {}
                Ok(()) = toll.changed() => {}
                Ok(()) = settled.changed() => {}
                () = super::disk::changed(&mut disk) => {}
                () = tokio::time::sleep_until(due) => {}
            }
            // A watcher that is gone has nothing to look at.
            let _ = myself.cast(Msg::Look);
        }));
    }
}
