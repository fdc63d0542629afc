//! What is asked of discovery.

use std::time::Duration;

use tokio::sync::oneshot;

use super::Handle;
use crate::{
    discovery::{Scope, Swept, actor::Msg, longest},
    error::Error,
    model::{Code, Fault},
};

/// How long sweeps that were asked for before may keep one waiting.
const QUEUE: Duration = Duration::from_secs(60);

impl Handle {
    /// What discovery looks at by itself: the known ports of this machine, and what is configured.
    pub fn discovery_scope(&self) -> Scope {
        self.0.tree.discovery_config().scope()
    }

    /// Looks for backends now, whether or not discovery is switched on. Who asks for the same at the same time shares
    /// one sweep; another waits until it has ended. What becomes of the finds is as for any sweep.
    ///
    /// # Cancel safety
    /// Safe; the sweep is still made.
    ///
    /// # Errors
    /// Too many sweeps wait, discovery is being restarted, or it does not answer in the time that such a sweep can take.
    pub async fn discover(&self, scope: Scope) -> Result<Swept, Error> {
        let actor = "discovery";
        let waited = longest(&scope) + QUEUE;
        let discovery = self.0.tree.discovery().ok_or(Error::Restarting { actor })?;
        let (reply, answer) = oneshot::channel();
        discovery.cast(Msg::Discover(scope, reply)).map_err(|_| Error::Restarting { actor })?;
        match tokio::time::timeout(waited, answer).await {
            Ok(Ok(Ok(swept))) => Ok(swept),
            Ok(Ok(Err(_refused))) => {
                Err(Fault::new(Code::RateLimited, "too many sweeps wait already").into())
            }
            Ok(Err(_dropped)) => Err(Error::Restarting { actor }),
            Err(_) => Err(Error::NoAnswer { actor, waited }),
        }
    }
}
