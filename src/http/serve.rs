//! The binary's server.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Access, router};
use crate::{Handle, connection::alarm::Task};

/// Why the API cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The port is taken, or the address is not this machine's.
    #[error("{address} cannot be listened on: {cause}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        cause: io::Error,
    },
}

/// A running server. Dropping it ends it.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    _task: Task,
}

impl Server {
    /// Takes no new connection.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

/// A port that is ours and not served yet: taken before anything is started, so that a port in use starts nothing.
pub struct Listening {
    /// Where it listens.
    pub address: SocketAddr,
    listener: TcpListener,
}

/// Takes a port.
///
/// # Errors
/// [`ServeError::Listen`].
pub async fn listen(address: SocketAddr) -> Result<Listening, ServeError> {
    let listener = TcpListener::bind(address).await.map_err(|cause| ServeError::Listen { address, cause })?;
    let address = listener.local_addr().map_err(|cause| ServeError::Listen { address, cause })?;
    Ok(Listening { address, listener })
}

impl Listening {
    /// Serves the API of a supervisor.
    pub fn serve(self, handle: Handle, access: Access) -> Server {
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let app = router(handle, access);
        let Self { address, listener } = self;
        let task = Task::spawn(async move {
            let served = axum::serve(listener, app).with_graceful_shutdown(stopped).await;
            if let Err(error) = served {
                tracing::error!(%error, "the API ended");
            }
        });
        Server { address, stop, _task: task }
    }
}
