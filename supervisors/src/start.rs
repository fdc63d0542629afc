//! One start of a child: what it is given, what comes out of it.

use std::{future::Future, pin::Pin, sync::Arc};

use ractor::{Actor, ActorCell};
use tokio::task::JoinHandle;

/// What a start closure is given.
#[derive(Debug, Clone)]
pub struct StartContext {
    /// The supervisor, to link the child to. What else is linked to it during a start that fails is killed.
    pub supervisor: ActorCell,
    /// The child's id.
    pub id: Arc<str>,
    /// Which start this is: from 1 upwards, and no number twice at one supervisor's address.
    pub incarnation: u64,
}

/// Why a child did not start.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// A child that has just been started.
pub(crate) struct Born {
    pub(crate) cell: ActorCell,
    /// Its task, where it is known: when it has ended, the actor's state is dropped, too. ractor tells of the end before.
    pub(crate) task: Option<JoinHandle<()>>,
}

pub(crate) type Starting = Pin<Box<dyn Future<Output = Result<Born, StartError>> + Send>>;
pub(crate) type Start = Arc<dyn Fn(StartContext) -> Starting + Send + Sync>;

/// Starts an actor as a child.
pub(crate) async fn linked<A: Actor>(
    actor: A,
    arguments: A::Arguments,
    context: StartContext,
) -> Result<Born, StartError> {
    let (actor, task) = Actor::spawn_linked(None, actor, arguments, context.supervisor).await?;
    Ok(Born { cell: actor.get_cell(), task: Some(task) })
}
