//! Carries out the difference between the backends that run and those that are wanted.

use std::{sync::Arc, time::Duration};

use backline_supervisors::{Branch, SupervisorError};
use futures_util::future::join_all;
use indexmap::IndexMap;
use tokio::time::Instant;

use crate::{
    config::{BackendConfig, Config, PoolConfig},
    connection::{
        actor::Msg as ConnectionMsg,
        machine::Command,
        slot::{Common, Slot},
    },
    error::Error,
    model::{BackendId, Phase},
    roster::Roster,
    settings::Change,
    tree,
};

/// How long a backend that is removed or set up anew may finish what is in flight.
pub(crate) const DRAIN: Duration = Duration::from_secs(20);
/// Between questions to a supervisor that is being restarted, and how many.
const AGAIN: Duration = Duration::from_millis(100);
const QUESTIONS: u32 = 50;

/// What is needed to start and to end backends. Whoever has it is the one writer of their set.
pub(crate) struct Stage {
    pub(crate) roster: Arc<Roster>,
    pub(crate) common: Common,
}

impl Stage {
    /// A slot for each backend and a route for each pool, before anything runs.
    pub(crate) fn set(&self, config: &Config) {
        for backend in config.backends.values() {
            self.roster.insert(self.slot(backend));
        }
        self.roster.set_pools(&config.pools);
        self.publish();
    }

    /// Makes these the backends that run. What does not differ is left alone; what goes or is set up anew drains
    /// first. Begun again after an interruption it goes on from what runs then.
    ///
    /// # Cancel safety
    /// Dropping the future leaves it half done: a later call completes it.
    pub(crate) async fn turn_to(&self, config: &Config) -> Result<Change, Error> {
        let wanted = &config.backends;
        let change = Change::between(&self.roster.settings(), wanted);
        for id in change.in_place() {
            if let Some(slot) = self.roster.slot(id) {
                slot.retune(&wanted[id]);
            }
        }
        let renewed = change.anew().map(|id| (id, wanted.get(id)));
        let leaving = change.removed.iter().map(|id| (id, None)).chain(renewed);
        let left = join_all(leaving.map(|(id, next)| self.replace(id, next))).await;
        for id in &change.added {
            self.roster.insert(self.slot(&wanted[id]));
        }
        self.roster.arrange(wanted.keys());
        self.publish();
        let started = join_all(change.added.iter().map(|id| self.start(id))).await;
        left.into_iter().chain(started).collect::<Result<Vec<()>, Error>>()?;
        self.turn_pools_to(&config.pools).await?;
        Ok(change)
    }

    /// Makes these the pools. One that stays keeps its route; who waits for one that goes is told so at once.
    async fn turn_pools_to(&self, wanted: &IndexMap<BackendId, PoolConfig>) -> Result<(), Error> {
        let before = self.roster.pools();
        self.roster.set_pools(wanted);
        let branch = self.roster.pool_branch().ok_or(Error::Restarting { actor: "pools" })?;
        for (id, route) in before.iter().filter(|(id, _)| !wanted.contains_key(*id)) {
            self.common.line.close(route);
            // One that is gone already needs no removal; a restarted supervisor does not bring it back.
            let _ = branch.remove(id.as_str()).await;
            self.common.hub.drop_pool(id.as_str());
        }
        let (roster, hub) = (Arc::downgrade(&self.roster), &self.common.hub);
        for (id, route) in self.roster.pools().iter().filter(|(id, _)| !before.contains_key(*id)) {
            match branch.add(tree::pool(route.clone(), &roster, hub)).await {
                // A supervisor that is being restarted starts it from the wanted set.
                Ok(()) | Err(SupervisorError::DuplicateId(_) | SupervisorError::Restarting(_)) => {}
                Err(error) => return Err(Error::Setup(format!("the pool `{id}` is not started: {error}"))),
            }
        }
        Ok(())
    }

    fn slot(&self, config: &Arc<BackendConfig>) -> Arc<Slot> {
        Slot::new(config.clone(), &self.common)
    }

    fn publish(&self) {
        let slots = self.roster.slots();
        self.common.hub.set_backends(slots.iter().map(|slot| slot.record.shown()).collect());
    }

    /// Ends a backend, and starts it again where it has new settings.
    async fn replace(&self, id: &BackendId, next: Option<&Arc<BackendConfig>>) -> Result<(), Error> {
        let Some(old) = self.roster.slot(id) else { return Ok(()) };
        self.drain(id).await;
        let Some(next) = next else {
            // Out of the wanted set first, so that a restarted supervisor does not bring it back.
            self.roster.remove(id);
            let gone = self.stop(id).await;
            self.retire(&old).await;
            return gone;
        };
        // Its last session is over: from here on epochs count up from it. In the wanted set first, so that a
        // restarted supervisor does not bring the old one back.
        let new = old.successor(next.clone(), &self.common);
        self.roster.insert(new.clone());
        self.stop(id).await?;
        new.record.update(|_| {});
        self.retire(&old).await;
        self.start(id).await
    }

    async fn retire(&self, old: &Slot) {
        old.vacate();
        old.parted().await;
    }

    /// Lets a connection finish what is in flight, and closes it.
    async fn drain(&self, id: &BackendId) {
        // Without an actor there is no session.
        let Some(connection) = self.roster.connection(id) else { return };
        let deadline = Instant::now() + DRAIN;
        if connection.cast(ConnectionMsg::Command(Command::Close { deadline })).is_err() {
            return;
        }
        let mut shown = self.common.hub.watch();
        let closed = shown.wait_for(|now| {
            let phase = now.backend(id.as_str()).map(|status| status.phase);
            phase.is_none_or(|phase| matches!(phase, Phase::Closed | Phase::Quarantined))
        });
        // Who is later than its own deadline is closed by its supervisor.
        let _ = tokio::time::timeout_at(deadline + Duration::from_secs(1), closed).await;
    }

    async fn start(&self, id: &BackendId) -> Result<(), Error> {
        let branch = self.branch()?;
        for _ in 0..QUESTIONS {
            let Some(slot) = self.roster.slot(id) else { return Ok(()) };
            match branch.add(tree::connection(slot)).await {
                // A supervisor that came up in between started it from the wanted set.
                Ok(()) | Err(SupervisorError::DuplicateId(_)) => return Ok(()),
                Err(SupervisorError::Restarting(_)) => tokio::time::sleep(AGAIN).await,
                Err(error) => return Err(refused(&error)),
            }
        }
        Err(Error::Restarting { actor: "backends" })
    }

    async fn stop(&self, id: &BackendId) -> Result<(), Error> {
        let branch = self.branch()?;
        for _ in 0..QUESTIONS {
            match branch.remove(id.as_str()).await {
                Ok(()) | Err(SupervisorError::UnknownChild(_)) => return Ok(()),
                Err(SupervisorError::Restarting(_)) => tokio::time::sleep(AGAIN).await,
                Err(error) => return Err(refused(&error)),
            }
        }
        Err(Error::Restarting { actor: "backends" })
    }

    fn branch(&self) -> Result<&Branch, Error> {
        self.roster.branch().ok_or(Error::Restarting { actor: "backends" })
    }
}

fn refused(error: &SupervisorError) -> Error {
    match error {
        SupervisorError::ShuttingDown(_) => Error::Closing,
        SupervisorError::NoAnswer(_) => Error::NoAnswer { actor: "backends", waited: Duration::from_secs(5) },
        other => Error::Setup(other.to_string()),
    }
}
