//! Leases by the backend's id, typed by its kind.

use std::time::Duration;

use tokio::time::Instant;

use super::Handle;
use crate::{backends::Session, connection::Lease, error::Error};

impl Handle {
    /// The right to use a backend's session, whatever its kind. Waits at most the supervisor's `lease_timeout` for a
    /// ready session with a free slot, in turn with the others.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue and nothing else.
    ///
    /// # Errors
    /// An unknown backend, or [`Error::Unavailable`], which says which wait it was and why.
    pub async fn lease(&self, id: &str) -> Result<Lease<dyn Session>, Error> {
        self.lease_within(id, self.0.lease_timeout).await
    }

    /// As [`Self::lease`], with a limit of its own; zero takes what is free now or nothing.
    ///
    /// # Cancel safety
    /// As [`Self::lease`].
    ///
    /// # Errors
    /// As [`Self::lease`].
    pub async fn lease_within(&self, id: &str, limit: Duration) -> Result<Lease<dyn Session>, Error> {
        let deadline = Instant::now() + limit;
        loop {
            let slot = self.0.roster.named(id)?;
            let left = deadline.saturating_duration_since(Instant::now());
            match slot.door.enter(left).await {
                // Its settings changed while we waited: the same backend has another door.
                Err(_) if slot.door.is_gone() && !left.is_zero() => {}
                entered => return entered.map(Lease::new),
            }
        }
    }

    /// A lease on a ComfyUI.
    ///
    /// # Cancel safety
    /// As [`Self::lease`].
    ///
    /// # Errors
    /// As [`Self::lease`], and [`Error::WrongKind`].
    #[cfg(feature = "comfyui")]
    pub async fn comfyui(&self, id: &str) -> Result<Lease<crate::backends::comfyui::Session>, Error> {
        self.lease(id).await?.of("comfyui")
    }

    /// A lease on a Gradio app; Wan2GP's web page is one.
    ///
    /// # Cancel safety
    /// As [`Self::lease`].
    ///
    /// # Errors
    /// As [`Self::lease`], and [`Error::WrongKind`].
    #[cfg(feature = "gradio")]
    pub async fn gradio(&self, id: &str) -> Result<Lease<crate::backends::gradio::Session>, Error> {
        self.lease(id).await?.of("gradio")
    }

    /// A lease on a WanGP's MCP server; its web page is [`Self::gradio`]'s.
    ///
    /// # Cancel safety
    /// As [`Self::lease`].
    ///
    /// # Errors
    /// As [`Self::lease`], and [`Error::WrongKind`].
    #[cfg(feature = "wan2gp")]
    pub async fn wan2gp(&self, id: &str) -> Result<Lease<crate::backends::wan2gp::Session>, Error> {
        self.lease(id).await?.of("wan2gp")
    }

    /// A lease on a LiteLLM proxy or another OpenAI-compatible server.
    ///
    /// # Cancel safety
    /// As [`Self::lease`].
    ///
    /// # Errors
    /// As [`Self::lease`], and [`Error::WrongKind`].
    #[cfg(feature = "litellm")]
    pub async fn litellm(&self, id: &str) -> Result<Lease<crate::backends::litellm::Session>, Error> {
        self.lease(id).await?.of("litellm")
    }
}
