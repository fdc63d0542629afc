//! Leases by a backend's id, a pool's, or a capability; typed by the backend's kind.

use std::time::Duration;

use tokio::time::Instant;

use super::Handle;
use crate::{
    backends::Session,
    connection::{Lease, slot::Cordon},
    error::Error,
    pool::{Ask, line::Unserved},
};
#[cfg(any(feature = "comfyui", feature = "gradio", feature = "litellm"))]
use crate::{model::Kind, pool::Kinds};

impl Handle {
    /// The right to use a session of a backend, a pool, or whoever has a capability. Waits at most the supervisor's
    /// `lease_timeout` for a ready session with a free slot, in turn with the others.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue and nothing else.
    ///
    /// # Errors
    /// An unknown target, or [`Error::Unavailable`], which says which wait it was and why nothing was free.
    pub async fn lease(&self, target: &str) -> Result<Lease<dyn Session>, Error> {
        self.lease_within(target, self.0.lease_timeout).await
    }

    /// As [`Self::lease`], with a limit of its own; zero takes what is free now or nothing.
    ///
    /// # Cancel safety
    /// As [`Self::lease`].
    ///
    /// # Errors
    /// As [`Self::lease`].
    pub async fn lease_within(&self, target: &str, limit: Duration) -> Result<Lease<dyn Session>, Error> {
        self.lease_for(target, &Ask::default(), limit).await
    }

    /// As [`Self::lease_within`], with more that is asked of the backend.
    ///
    /// # Cancel safety
    /// As [`Self::lease`].
    ///
    /// # Errors
    /// As [`Self::lease`], and [`Error::NoneFits`] where no backend of the target is of a kind that will do.
    pub async fn lease_for(
        &self,
        target: &str,
        ask: &Ask,
        limit: Duration,
    ) -> Result<Lease<dyn Session>, Error> {
        let deadline = Instant::now() + limit;
        loop {
            let route = self.0.roster.route(target)?;
            route.fits(ask)?;
            match self.0.roster.line.enter(&route, ask, deadline).await {
                Ok(pass) => return Ok(Lease::new(pass)),
                Err(Unserved::Late) => return Err(route.excuse(ask, limit)),
                // Its settings changed while we waited: the same backend is in another place.
                Err(Unserved::Gone) if Instant::now() < deadline => tokio::task::yield_now().await,
                Err(Unserved::Gone) => return Err(route.excuse(ask, limit)),
            }
        }
    }

    /// Gives a backend nothing new until [`Self::uncordon`]; its session, what runs on it, and its health go on.
    ///
    /// # Errors
    /// An unknown backend.
    pub fn cordon(&self, id: &str) -> Result<(), Error> {
        self.0.roster.named(id)?.cordon(Cordon::On);
        Ok(())
    }

    /// Ends a cordon; one that was not set is no error.
    ///
    /// # Errors
    /// An unknown backend.
    pub fn uncordon(&self, id: &str) -> Result<(), Error> {
        self.0.roster.named(id)?.cordon(Cordon::Off);
        Ok(())
    }

    #[cfg(any(feature = "comfyui", feature = "gradio", feature = "wan2gp", feature = "litellm"))]
    async fn typed<S: Session>(
        &self,
        target: &str,
        kinds: &[Kind],
        name: &'static str,
    ) -> Result<Lease<S>, Error> {
        let ask = Ask::new().kinds(Kinds::of(kinds));
        self.lease_for(target, &ask, self.0.lease_timeout).await?.of(name)
    }

    /// A lease on a ComfyUI.
    ///
    /// # Cancel safety
    /// As [`Self::lease`].
    ///
    /// # Errors
    /// As [`Self::lease`], and [`Error::WrongKind`].
    #[cfg(feature = "comfyui")]
    pub async fn comfyui(&self, target: &str) -> Result<Lease<crate::backends::comfyui::Session>, Error> {
        self.typed(target, &[Kind::Comfyui], "comfyui").await
    }

    /// A lease on a Gradio app; Wan2GP's web page is one.
    ///
    /// # Cancel safety
    /// As [`Self::lease`].
    ///
    /// # Errors
    /// As [`Self::lease`], and [`Error::WrongKind`].
    #[cfg(feature = "gradio")]
    pub async fn gradio(&self, target: &str) -> Result<Lease<crate::backends::gradio::Session>, Error> {
        self.typed(target, &[Kind::Gradio, Kind::Wan2gp], "gradio").await
    }

    /// A lease on a WanGP's MCP server; its web page is [`Self::gradio`]'s.
    ///
    /// # Cancel safety
    /// As [`Self::lease`].
    ///
    /// # Errors
    /// As [`Self::lease`], and [`Error::WrongKind`].
    #[cfg(feature = "wan2gp")]
    pub async fn wan2gp(&self, target: &str) -> Result<Lease<crate::backends::wan2gp::Session>, Error> {
        self.typed(target, &[Kind::Wan2gp], "wan2gp").await
    }

    /// A lease on a LiteLLM proxy or another OpenAI-compatible server.
    ///
    /// # Cancel safety
    /// As [`Self::lease`].
    ///
    /// # Errors
    /// As [`Self::lease`], and [`Error::WrongKind`].
    #[cfg(feature = "litellm")]
    pub async fn litellm(&self, target: &str) -> Result<Lease<crate::backends::litellm::Session>, Error> {
        self.typed(target, &[Kind::Litellm, Kind::Openai], "litellm").await
    }
}
