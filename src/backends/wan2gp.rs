//! Wan2GP, with either of its faces: the web page, which is a Gradio app, or the MCP server, which takes its place when
//! WanGP is started with `--mcp`. The connection finds out which. Written against WanGP 12.60 over the MCP library 1.10.1.
//!
//! Four facts shape the MCP side. It is JSON-RPC in POSTs, without a state between two. The server does one generation at
//! a time and refuses a second. It mints the ids of jobs, lists them nowhere and keeps them in memory: an answer that is
//! lost leaves a doubt, and an unknown id proves a restart. And `wait: true` blocks the whole server, so it is polled.

mod cancel;
mod complaint;
mod fit;
mod follow;
mod gallery;
pub(crate) mod greeting;
#[cfg(all(any(test, feature = "fuzz"), feature = "comfyui", feature = "litellm"))]
mod hostile;
mod live;
mod memory;
mod models;
mod place;
#[cfg(test)]
mod recordings;
mod refusal;
mod rpc;
mod run;
mod session;
mod snapshot;
mod tool;
mod toolbox;
mod watched;
mod wire;

#[cfg(all(any(test, feature = "fuzz"), feature = "comfyui", feature = "litellm"))]
pub(crate) use hostile::read_hostile;

pub use models::Model;
pub use session::Session;

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

use crate::{
    backends::{
        Connector, Dialed, Target,
        gradio::Gradio,
        wan2gp::{
            memory::Memory,
            place::Face,
            wire::{Clients, Wire},
        },
    },
    model::{Capability, Channel, Code, Epoch, Fault},
    net::{
        Reuse,
        course::{self, Step},
    },
};

/// The connector of a Wan2GP.
pub struct Wan2gp {
    target: Arc<Target>,
    clients: Clients,
    memory: Arc<Memory>,
    page: Gradio,
    /// What the address says.
    named: Option<Face>,
    /// What answered last: asked first.
    last: Mutex<Face>,
}

impl Wan2gp {
    /// A connector for a target.
    ///
    /// # Errors
    /// A setting cannot be used.
    pub fn new(target: Target) -> Result<Self, Fault> {
        let (base, named) = place::of(&target.address);
        let target = Target { address: base, ..target };
        let clients = Clients { http: target.client(Reuse::Long)?, work: target.client(Reuse::Never)? };
        let page = Gradio::new(target.clone())?;
        let last = Mutex::new(named.unwrap_or(Face::Page));
        Ok(Self { target: Arc::new(target), clients, memory: Arc::default(), page, named, last })
    }

    async fn open(&self, epoch: Epoch) -> Result<Dialed, Fault> {
        let first = self.named.unwrap_or_else(|| *self.last());
        let fault = match self.face(first, epoch).await {
            Ok(dialed) => return Ok(dialed),
            Err(fault) => fault,
        };
        // Anything but another program says that this face may be there after all.
        if self.named.is_some() || !matches!(fault.code(), Code::WrongProgram | Code::Protocol) {
            return Err(fault);
        }
        let second = if first == Face::Page { Face::Mcp } else { Face::Page };
        match self.face(second, epoch).await {
            Ok(dialed) => {
                *self.last() = second;
                Ok(dialed)
            }
            Err(other) if matches!(other.code(), Code::WrongProgram | Code::Protocol) => {
                let (page, mcp) = if first == Face::Page { (&fault, &other) } else { (&other, &fault) };
                let message = format!("neither WanGP's page nor its MCP server is here: {page}; {mcp}");
                Err(Fault::new(Code::WrongProgram, message).with_fix(page.fix()))
            }
            Err(other) => Err(other),
        }
    }

    async fn face(&self, face: Face, epoch: Epoch) -> Result<Dialed, Fault> {
        match face {
            Face::Page => self.page.dial(epoch).await,
            Face::Mcp => self.open_mcp().await,
        }
    }

    async fn open_mcp(&self) -> Result<Dialed, Fault> {
        let greeting = wire::greet(&self.clients.http, self.target.timeouts.request).await?;
        course::passed(Step::Api);
        let wire = Wire::new(self.target.clone(), self.clients.clone());
        let can = match models::capabilities(&wire).await {
            Ok(can) => can,
            // Without the list it is still a WanGP, and what every WanGP makes is known.
            Err(fault) if matches!(fault.code(), Code::NotFound | Code::BadRequest | Code::Protocol) => {
                tracing::info!(backend = %self.target.id, %fault, "what it can make is not listed");
                vec![Capability::VideoGenerate]
            }
            Err(fault) => return Err(fault),
        };
        course::passed(Step::Auth);
        let session = Arc::new(Session::new(wire, self.memory.clone(), greeting, can));
        let identity = session.identity();
        let live = live::signs(session.clone()).await;
        Ok(Dialed { session, identity, channel: Channel::Polling, live })
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Face> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connector for Wan2gp {
    fn dial(&self, epoch: Epoch) -> BoxFuture<'_, Result<Dialed, Fault>> {
        Box::pin(self.open(epoch))
    }
}
