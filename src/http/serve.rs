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

/// Serves the API of a supervisor.
///
/// # Errors
/// [`ServeError::Listen`].
pub async fn serve(address: SocketAddr, handle: Handle, access: Access) -> Result<Server, ServeError> {
    let listener = TcpListener::bind(address).await.map_err(|cause| ServeError::Listen { address, cause })?;
    let address = listener.local_addr().map_err(|cause| ServeError::Listen { address, cause })?;
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let app = router(handle, access);
    let task = Task::spawn(async move {
        let served = axum::serve(listener, app).with_graceful_shutdown(stopped).await;
        if let Err(error) = served {
            tracing::error!(%error, "the API ended");
        }
    });
    Ok(Server { address, stop, _task: task })
}
