//! ComfyUI: workflows over HTTP, their events over a WebSocket. Written against 0.3.64 and 0.24.0.
//!
//! Three facts shape it. The server forgets queue and history when it restarts, and has no boot id. A prompt's id is
//! ours to choose, and a repeated id is not refused: nothing is sent twice without proof. And a socket can go deaf
//! while it still answers pings: events are hints, `/queue` and `/history` are the truth.

mod attach;
mod beat;
mod board;
mod boot;
mod cancel;
pub mod catalogue;
mod control;
mod evidence;
mod fetch;
mod fit;
mod follow;
pub mod frame;
pub mod history;
#[cfg(all(any(test, feature = "fuzz"), feature = "wan2gp", feature = "litellm"))]
mod hostile;
pub(crate) mod identify;
mod job;
mod live;
mod memory;
mod offer;
mod pace;
pub mod preflight;
mod probe;
mod queue;
#[cfg(test)]
mod recordings;
pub mod refusal;
mod session;
mod socket;
mod status;
mod submit;
mod upload;
mod watch;
pub mod workflow;

#[cfg(all(any(test, feature = "fuzz"), feature = "wan2gp", feature = "litellm"))]
pub(crate) use hostile::read_hostile;

pub use catalogue::Catalogue;
pub use control::{Free, Queues};
pub use job::{Pagination, RemoteJob, RemoteJobs, RemoteStatus};
pub use preflight::{Missing, preflight};
pub use queue::Queued;
pub use session::Session;
pub use socket::Previews;
pub use upload::Uploaded;
pub use workflow::Workflow;

use std::sync::Arc;

use futures_util::{StreamExt, future::BoxFuture};

use crate::{
    backends::{
        Connector, Dialed, Target,
        comfyui::{
            board::Board,
            live::{Ear, GREETING, Live, greet},
            memory::{Memory, Parting},
            socket::{Opened, Socket},
        },
    },
    model::{Channel, Code, Epoch, Fault},
    net::{Http, Reuse},
};

/// The connector of a ComfyUI server.
pub struct Comfyui {
    target: Arc<Target>,
    http: Http,
    memory: Arc<Memory>,
    previews: Previews,
}

impl Comfyui {
    /// A connector for a target.
    ///
    /// # Errors
    /// A setting cannot be used.
    pub fn new(target: Target) -> Result<Self, Fault> {
        let http = target.client(Reuse::Brief)?;
        Ok(Self {
            target: Arc::new(target),
            http,
            memory: Arc::new(Memory::new()),
            previews: Previews::default(),
        })
    }

    /// Sizes the read buffer for a host that looks at previews. They are reported either way.
    #[must_use]
    pub fn with_previews(mut self, previews: Previews) -> Self {
        self.previews = previews;
        self
    }

    async fn open(&self) -> Result<Dialed, Fault> {
        let identity =
            identify::identify(&self.http, self.target.timeouts.request).await.inspect_err(|fault| {
                if fault.code() == Code::ConnectionRefused {
                    self.memory.refused();
                }
            })?;
        let mark = self.memory.mark();
        // A server that dies under the question tells nothing of the last one's end: it is dialed again.
        let boot = boot::look(&self.http, self.target.timeouts.request, mark.as_deref()).await?;
        self.memory.connected(boot);
        let client = self.memory.client();
        let board = Board::new(client.clone(), Channel::Live);
        let session = Session::new(self.target.clone(), self.http.clone(), self.memory.clone(), board);
        let session = Arc::new(session);
        let (ear, channel) = self.ear(&session, &client).await?;
        session.board().set_channel(channel);
        let live = Live::new(session.clone(), ear, client, self.previews).into_stream().boxed();
        Ok(Dialed { session, identity, channel, live })
    }

    /// The socket, or what stands in for it: HTTP alone is enough for jobs.
    async fn ear(&self, session: &Arc<Session>, client: &str) -> Result<(Ear, Channel), Fault> {
        let opened = Socket::open(&self.http, client, self.previews, GREETING).await?;
        let mut socket = match opened {
            Opened::Socket(socket) => socket,
            Opened::Refused(fault) => {
                tracing::info!(backend = %self.target.id, %fault, "no live events; polling instead");
                return Ok((live::polling(session), Channel::Polling));
            }
        };
        if greet(&mut socket, session).await?.is_some() {
            return Ok((Ear::Socket(socket), Channel::Live));
        }
        if socket.close().await {
            self.memory.parted(client, Parting::Seen);
        }
        Ok((live::polling(session), Channel::Degraded))
    }
}

impl Connector for Comfyui {
    fn dial(&self, _epoch: Epoch) -> BoxFuture<'_, Result<Dialed, Fault>> {
        Box::pin(self.open())
    }
}
