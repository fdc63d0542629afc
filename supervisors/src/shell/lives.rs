//! The actors that run now.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use ractor::{ActorCell, ActorId, ActorRef};
use tokio::task::{JoinHandle, JoinSet};

use super::Msg;
use crate::{Exit, start::Born, table::KILL_GRACE};

/// How many ends of actors that nobody knows are kept beside those that may come from a start under way.
const SLACK: usize = 16;

/// A child's incarnation that runs, or has ended and not yet gone.
pub(super) struct Life {
    incarnation: u64,
    pub(super) cell: ActorCell,
    pub(super) task: Option<JoinHandle<()>>,
}

#[derive(Default)]
pub(super) struct Lives {
    lives: HashMap<Arc<str>, Life>,
    ids: HashMap<ActorId, Arc<str>>,
    /// Ends that came before their start was reported: ractor tells the two by different ways.
    early: VecDeque<(ActorId, Exit)>,
    /// Tasks that wait for an actor to be gone; they end with this.
    departures: JoinSet<()>,
}

impl Lives {
    /// An actor was started. Gives its end where that was heard before.
    pub(super) fn begin(&mut self, id: Arc<str>, incarnation: u64, born: Born) -> Option<Exit> {
        let actor = born.cell.get_id();
        let life = Life { incarnation, cell: born.cell, task: born.task };
        self.ids.insert(actor, id.clone());
        if let Some(abandoned) = self.lives.insert(id, life) {
            self.ids.remove(&abandoned.cell.get_id());
        }
        let at = self.early.iter().position(|(early, _)| *early == actor)?;
        self.early.remove(at).map(|(_, exit)| exit)
    }

    /// An actor has ended. Gives the child's end where it is gone with all that it held; else that is told later.
    pub(super) fn ended(
        &mut self,
        actor: ActorId,
        exit: Exit,
        starts: usize,
        myself: &ActorRef<Msg>,
    ) -> Option<(Arc<str>, u64, Exit)> {
        while self.departures.try_join_next().is_some() {}
        let Some(id) = self.ids.get(&actor).cloned() else {
            self.early.push_back((actor, exit));
            while self.early.len() > starts + SLACK {
                self.early.pop_front();
            }
            return None;
        };
        let life = self.lives.get_mut(&id)?;
        let incarnation = life.incarnation;
        match life.task.take() {
            // After a crash ractor tells of the end first and drops the actor's state then, in its own task. The next
            // incarnation must not meet it: the two would write over each other.
            Some(task) if !task.is_finished() => {
                let myself = myself.clone();
                self.departures.spawn(async move {
                    // Bounded: a drop that blocks its thread must not hold up the restart for ever.
                    let _ = tokio::time::timeout(KILL_GRACE, task).await;
                    let _ = myself.cast(Msg::Gone { id, incarnation, exit });
                });
                None
            }
            _ => Some((id, incarnation, exit)),
        }
    }

    pub(super) fn forget(&mut self, id: &Arc<str>, incarnation: u64) {
        if self.lives.get(id).is_some_and(|life| life.incarnation == incarnation)
            && let Some(life) = self.lives.remove(id)
        {
            self.ids.remove(&life.cell.get_id());
        }
    }

    /// The actor of this child, where it is of this incarnation.
    pub(super) fn of(&self, id: &str, incarnation: u64) -> Option<&ActorCell> {
        self.lives.get(id).filter(|life| life.incarnation == incarnation).map(|life| &life.cell)
    }

    pub(super) fn knows(&self, actor: ActorId) -> bool {
        self.ids.contains_key(&actor)
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = (Arc<str>, Life)> {
        self.lives.drain()
    }
}
