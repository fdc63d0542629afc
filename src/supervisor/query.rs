//! Questions, each answered by the actor that owns the fact, within a deadline.

use std::{future::Future, time::Duration};

use backline_supervisors::{SupervisorError, TreeSnapshot};
use tokio::sync::oneshot;

use super::{
    Handle,
    handle::{ANSWER, await_answer},
};
use crate::{
    error::Error,
    health::{HealthReport, actor::Msg as HealthMsg},
    history::HistoryReport,
    model::{PoolStatus, Signature},
    registry::{Entry, Register, actor::Msg as RegistryMsg},
};

pub use crate::registry::{Capable, Functions};

/// A question to an actor of the tree.
pub trait Query: Send {
    /// What is answered.
    type Answer;

    /// Asks.
    fn ask(self, handle: &Handle) -> impl Future<Output = Result<Self::Answer, Error>> + Send;
}

/// The supervision tree, answered by its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree;

impl Query for Tree {
    type Answer = TreeSnapshot;

    async fn ask(self, handle: &Handle) -> Result<TreeSnapshot, Error> {
        let actor = "root";
        handle.0.tree.root.describe(ANSWER).await.map_err(|error| match error {
            SupervisorError::NoAnswer(_) => Error::NoAnswer { actor, waited: ANSWER },
            _ => Error::Restarting { actor },
        })
    }
}

/// The health of one backend, answered by the health actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthOf(pub String);

impl HealthOf {
    /// Of the backend with this id.
    pub fn id(id: impl Into<String>) -> Self {
        Self(id.into())
    }
}

impl Query for HealthOf {
    type Answer = HealthReport;

    async fn ask(self, handle: &Handle) -> Result<HealthReport, Error> {
        let actor = "health";
        let slot = handle.0.roster.named(&self.0)?;
        let health = handle.0.tree.health().ok_or(Error::Restarting { actor })?;
        let (reply, answer) = oneshot::channel();
        let ask = HealthMsg::HealthOf(slot.config.id.clone(), reply);
        health.cast(ask).map_err(|_| Error::Restarting { actor })?;
        await_answer(actor, answer).await?.ok_or(Error::Restarting { actor })
    }
}

/// The history of one backend over a window that ends now. What is kept outlives the actor that keeps it in shape, so
/// that the answer comes at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryOf {
    /// The backend's id.
    pub backend: String,
    /// How far back; no farther than what is kept, a day by default. A short window has finer buckets.
    pub window: Duration,
}

impl HistoryOf {
    /// Of the backend with this id, over 15 minutes.
    pub fn id(id: impl Into<String>) -> Self {
        Self { backend: id.into(), window: Duration::from_secs(15 * 60) }
    }

    /// Over another window.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }
}

impl Query for HistoryOf {
    type Answer = HistoryReport;

    async fn ask(self, handle: &Handle) -> Result<HistoryReport, Error> {
        let slot = handle.0.roster.named(&self.backend)?;
        Ok(handle.0.hub.chronicle.report(&slot.config.id, self.window))
    }
}

/// The pools, as they stand now: those of the configuration, in its order, and the capabilities that somebody asked for.
/// The routes, which outlive the actors that publish them, know it, so that the answer comes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pools;

impl Query for Pools {
    type Answer = Vec<PoolStatus>;

    async fn ask(self, handle: &Handle) -> Result<Vec<PoolStatus>, Error> {
        let roster = &handle.0.roster;
        let configured = roster.pools();
        let used = roster.able.iter().filter(|route| route.is_used());
        Ok(configured.values().chain(used).map(|route| route.status()).collect())
    }
}

/// Everything that the registry knows, answered by its actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registry;

impl Query for Registry {
    type Answer = Register;

    async fn ask(self, handle: &Handle) -> Result<Register, Error> {
        ask_registry(handle, RegistryMsg::Everything).await
    }
}

impl Query for Capable {
    type Answer = Vec<Entry>;

    async fn ask(self, handle: &Handle) -> Result<Vec<Entry>, Error> {
        ask_registry(handle, |reply| RegistryMsg::Capable(self, reply)).await?.map_err(Error::Fault)
    }
}

impl Query for Functions {
    type Answer = Vec<Signature>;

    async fn ask(self, handle: &Handle) -> Result<Vec<Signature>, Error> {
        let id = handle.0.roster.named(&self.0)?.config.id.clone();
        ask_registry(handle, |reply| RegistryMsg::Functions(id, reply)).await
    }
}

async fn ask_registry<T>(
    handle: &Handle,
    question: impl FnOnce(oneshot::Sender<T>) -> RegistryMsg,
) -> Result<T, Error> {
    let actor = "registry";
    let registry = handle.0.tree.registry().ok_or(Error::Restarting { actor })?;
    let (reply, answer) = oneshot::channel();
    registry.cast(question(reply)).map_err(|_| Error::Restarting { actor })?;
    await_answer(actor, answer).await
}

impl Handle {
    /// Asks the actor that owns the fact, and waits at most 2 s for its answer.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// # Errors
    /// [`Error::Restarting`] while that actor is being restarted, [`Error::NoAnswer`] where it is deaf.
    pub async fn query<Q: Query>(&self, query: Q) -> Result<Q::Answer, Error> {
        query.ask(self).await
    }
}
