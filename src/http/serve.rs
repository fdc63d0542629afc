//! The binary's server: HTTP/1.1 with a bound on everything that a client may hold open.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{
    body::Incoming,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use super::{Access, Bounds, router_within};
use crate::{Handle, connection::alarm::Task};

/// Bytes of a head after which it is refused (one read may bring as many again), and of what is buffered of an answer.
const BUFFER: usize = 32 * 1024;
/// Headers of a request.
const HEADERS: usize = 64;
/// Bytes that the kernel keeps for a client.
const SENDING: u32 = 128 * 1024;
/// Connections that wait to be taken.
const BACKLOG: u32 = 1024;
/// Between attempts to take a connection when the process has too many files open.
const AGAIN: Duration = Duration::from_millis(100);
/// How long what is under way may go on after a stop.
const PARTING: Duration = Duration::from_secs(2);

/// What a client is told while there are too many.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\
    {\"error\":{\"code\":\"too_many_connections\",\"class\":\"busy\",\"message\":\"too many connections are open\",\
    \"fix\":\"Close some, or ask again in a moment.\",\"retryable\":true,\"detail\":null}}";

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
    let listener = bind(address).map_err(|cause| ServeError::Listen { address, cause })?;
    let address = listener.local_addr().map_err(|cause| ServeError::Listen { address, cause })?;
    Ok(Listening { address, listener })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Windows lets two listen on one port by it.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    // Its connections have it from it: what the kernel keeps for a client that does not read is bounded, too.
    socket.set_send_buffer_size(SENDING)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Listening {
    /// Serves the API of a supervisor within the usual [`Bounds`], and 64 headers in 64 KiB.
    pub fn serve(self, handle: Handle, access: Access) -> Server {
        self.serve_within(handle, access, Bounds::default())
    }

    /// As [`Self::serve`], within other bounds.
    pub fn serve_within(self, handle: Handle, access: Access, bounds: Bounds) -> Server {
        let access = match self.address.ip() {
            ip if ip.is_unspecified() || ip.is_loopback() => access,
            // Nobody's name resolves to what is no name.
            _ => access.host(self.address.to_string()),
        };
        self.serve_app(router_within(handle, access, &bounds), bounds)
    }

    /// Serves a router of the binary's own.
    pub(crate) fn serve_app(self, app: Router, bounds: Bounds) -> Server {
        let stop = CancellationToken::new();
        let Self { address, listener } = self;
        let door = Door { listener, app, room: Arc::new(Semaphore::new(bounds.connections)), bounds };
        let task = Task::spawn(door.keep(stop.clone()));
        Server { address, stop, _task: task }
    }
}

struct Door {
    listener: TcpListener,
    app: Router,
    room: Arc<Semaphore>,
    bounds: Bounds,
}

impl Door {
    async fn keep(self, stop: CancellationToken) {
        let mut guests = JoinSet::new();
        let parting = GracefulShutdown::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(_) = guests.join_next(), if !guests.is_empty() => {}
                arrived = self.listener.accept() => match arrived {
                    Ok((stream, peer)) => self.admit((stream, peer), &mut guests, &parting),
                    Err(error) => {
                        tracing::warn!(%error, "a connection to the API could not be taken");
                        tokio::time::sleep(AGAIN).await;
                    }
                },
            }
        }
        drop(self.listener);
        // Event streams do not end by themselves: they go with the set.
        let _ = tokio::time::timeout(PARTING, parting.shutdown()).await;
    }

    fn admit(
        &self,
        (stream, peer): (TcpStream, SocketAddr),
        guests: &mut JoinSet<()>,
        parting: &GracefulShutdown,
    ) {
        let Ok(place) = self.room.clone().try_acquire_owned() else {
            guests.spawn(async move {
                // Who does not even take this is told nothing.
                let _ = tokio::time::timeout(Duration::from_secs(1), refuse(stream)).await;
            });
            return;
        };
        // Small events go out at once; a socket that is gone fails at its first read anyway.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.bounds.stall));
        let app = TowerToHyperService::new(self.app.clone());
        let service = service_fn(move |mut request: http::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            app.call(request)
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.bounds.head);
        http.max_buf_size(BUFFER).max_headers(HEADERS);
        let serving = parting.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
        guests.spawn(async move {
            let _place = place;
            if let Err(error) = serving.await {
                tracing::debug!(%error, "a connection to the API ended");
            }
        });
    }
}

async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(FULL).await?;
    stream.shutdown().await
}
