//! The supervised shell of the database's owner.

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::{Serving, Store, serving::End};

/// How long the database may take to close.
pub(crate) const CLOSE: Duration = Duration::from_secs(3);

pub(crate) enum Msg {
    /// Closes the database and ends.
    Close,
    /// The owner's loop ended.
    Ended(End),
}

pub(crate) struct Owner;

impl Actor for Owner {
    type Msg = Msg;
    type State = Serving;
    type Arguments = Store;

    async fn pre_start(&self, myself: ActorRef<Msg>, store: Store) -> Result<Serving, ActorProcessingErr> {
        Ok(Serving::start(store.shared().clone(), move |end| {
            // The actor may be gone already: it ends the loop by its own end.
            let _ = myself.cast(Msg::Ended(end));
        }))
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        msg: Msg,
        serving: &mut Serving,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Close => serving.begin_close(CLOSE),
            Msg::Ended(End::Broken) => return Err("the owner of the state database crashed".into()),
            Msg::Ended(_) => myself.stop(None),
        }
        Ok(())
    }
}
