//! A backend in memory: it is there, and does nothing.

use std::sync::Arc;

use backline::{
    backends::{
        Abilities, Attempt, Connector, Dialed, Download, Finished, RemoteFile, Session, Setback, Sink,
        session::Pulse,
    },
    config::BackendConfig,
    model::{BackendId, Capability, Channel, Code, Epoch, Fault, Identity, Kind},
};
use futures_util::{StreamExt, future::BoxFuture, stream};

struct Memory(BackendId);

pub(crate) fn connector(config: &BackendConfig) -> Result<Arc<dyn Connector>, Fault> {
    Ok(Arc::new(Memory(config.id.clone())))
}

impl Connector for Memory {
    fn dial(&self, _epoch: Epoch) -> BoxFuture<'_, Result<Dialed, Fault>> {
        let identity = Identity { capabilities: vec![Capability::TextChat], ..Identity::default() };
        let session = Arc::new(Memory(self.0.clone()));
        let live = stream::pending().boxed();
        Box::pin(async { Ok(Dialed { live, session, identity, channel: Channel::None }) })
    }
}

impl Session for Memory {
    fn backend(&self) -> &BackendId {
        &self.0
    }

    fn kind(&self) -> Kind {
        Kind::Openai
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            can_choose_id: false,
            can_look_up: false,
            can_cancel_by_id: false,
            survives_disconnect: false,
            survives_backend_restart: false,
        }
    }

    fn probe(&self) -> BoxFuture<'_, Result<Pulse, Fault>> {
        Box::pin(async { Ok(Pulse::default()) })
    }

    fn in_flight(&self) -> usize {
        0
    }

    fn end(&self, _: Fault) {}

    fn ended(&self) -> Option<Fault> {
        None
    }

    fn run(self: Arc<Self>, _: Attempt, _: Arc<dyn Sink>) -> BoxFuture<'static, Result<Finished, Setback>> {
        Box::pin(async { Ok(Finished::default()) })
    }

    fn cancel(&self, _: String) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    fn fetch(&self, _: RemoteFile, _: u64) -> BoxFuture<'_, Result<Download, Fault>> {
        Box::pin(async { Err(Fault::new(Code::NotFound, "it has no files")) })
    }
}
