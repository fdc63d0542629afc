//! A fault proxy: a TCP proxy on a loopback port, in front of any server, simulated or real, that spoils the bytes.
//!
//! It knows no HTTP: it counts bytes, delays, slices, holds, swallows and cuts them at any place. With a limit of `k`
//! bytes for each `k` a client is shown every way in which a request or its answer can be lost.
//!
//! ```no_run
//! use backline::sim::proxy::{End, FaultProxy, Limit, Way};
//! # async fn example(server: std::net::SocketAddr) -> std::io::Result<()> {
//! let proxy = FaultProxy::start(server).await?;
//! // The server acts on the first request; its answer is lost.
//! proxy.limit(Limit { way: Way::Answer, bytes: 0, end: End::Rst, times: Some(1) });
//! // ... a client works against proxy.url() ...
//! assert_eq!(proxy.tally().cuts, 1);
//! # Ok(())
//! # }
//! ```
//!
//! One thing it cannot imitate: it takes a connection before it knows whether the server does, so a dead server shows
//! as a reset. [`FaultProxy::refuse`] shows a refusal.

mod limits;
mod pump;
mod tally;
mod toxics;

pub use tally::Tally;
pub use toxics::{End, Gate, Limit, Toxics, Way};

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{broadcast, watch},
    task::JoinSet,
};

use crate::sim::proxy::{limits::Limits, pump::pump, tally::Counters};

/// How long a connection that was ended in order still takes what the other side sends: closing over unread bytes
/// would turn the FIN into a reset.
const LINGER: Duration = Duration::from_secs(1);

/// A TCP proxy on a loopback port that spoils the bytes. Dropping it cuts everything.
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Empty while connections are refused.
    door: tokio::sync::Mutex<JoinSet<()>>,
    lines: Arc<Mutex<JoinSet<()>>>,
}

struct Shared {
    upstream: SocketAddr,
    toxics: watch::Sender<Toxics>,
    limits: Limits,
    counters: Counters,
    cut: broadcast::Sender<End>,
}

impl FaultProxy {
    /// Starts a proxy in front of a server, which need not run yet.
    ///
    /// # Errors
    /// No port can be had.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let shared = Shared {
            upstream,
            toxics: watch::Sender::default(),
            limits: Limits::default(),
            counters: Counters::default(),
            cut: broadcast::Sender::new(1),
        };
        let proxy = Self {
            address: listener.local_addr()?,
            shared: Arc::new(shared),
            door: tokio::sync::Mutex::default(),
            lines: Arc::default(),
        };
        proxy.open(&mut *proxy.door.lock().await, listener);
        Ok(proxy)
    }

    /// In front of a server on a port of this machine.
    ///
    /// # Errors
    /// As [`Self::start`].
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn before(port: u16) -> io::Result<Self> {
        Self::start((Ipv4Addr::LOCALHOST, port).into()).await
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Its address, as a configuration names it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes the toxics, for open connections too.
    pub fn poison(&self, change: impl FnOnce(&mut Toxics)) {
        self.shared.toxics.send_modify(change);
    }

    /// Adds a limit, for open connections too.
    pub fn limit(&self, limit: Limit) {
        self.shared.limits.add(limit);
    }

    /// Takes all toxics and limits away.
    pub fn heal(&self) {
        self.shared.limits.clear();
        self.shared.toxics.send_replace(Toxics::default());
    }

    /// Cuts every open connection now.
    pub fn cut(&self, end: End) {
        // Nobody listens while no connection is open.
        let _ = self.shared.cut.send(end);
    }

    /// Refuses new connections, as if nothing listened. Open ones stay.
    ///
    /// # Cancel safety
    /// Safe; the port may be free a moment later then.
    pub async fn refuse(&self) {
        self.door.lock().await.shutdown().await;
    }

    /// Takes connections again, on the same port. Nothing happens where it does already.
    ///
    /// # Errors
    /// Another program took the port meanwhile.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn accept(&self) -> io::Result<()> {
        let mut door = self.door.lock().await;
        if door.is_empty() {
            self.open(&mut door, TcpListener::bind(self.address).await?);
        }
        Ok(())
    }

    /// What it counted so far.
    pub fn tally(&self) -> Tally {
        self.shared.counters.read()
    }

    fn open(&self, door: &mut JoinSet<()>, listener: TcpListener) {
        door.spawn(listen(listener, self.shared.clone(), self.lines.clone()));
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>, lines: Arc<Mutex<JoinSet<()>>>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        shared.counters.connections.fetch_add(1, Relaxed);
        // Subscribed before the next await, so that a cut meets every connection that was counted.
        let cut = shared.cut.subscribe();
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        while lines.try_join_next().is_some() {}
        lines.spawn(carry(client, shared.clone(), cut));
    }
}

async fn carry(mut client: TcpStream, shared: Arc<Shared>, mut cut: broadcast::Receiver<End>) {
    let _closed = Closed(&shared.counters);
    let Ok(mut server) = TcpStream::connect(shared.upstream).await else {
        shared.counters.refused.fetch_add(1, Relaxed);
        return finish(client, End::Rst).await;
    };
    // A delayed ACK between us and either side would count as latency that nobody asked for.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let both = async {
        tokio::try_join!(
            pump(Way::Request, from_client, to_server, &shared),
            pump(Way::Answer, from_server, to_client, &shared),
        )
    };
    let end = tokio::select! {
        biased;
        end = cut.recv() => {
            shared.counters.cuts.fetch_add(1, Relaxed);
            end.unwrap_or(End::Rst)
        }
        done = both => match done {
            Ok(_) => return,
            Err(end) => end,
        },
    };
    tokio::join!(finish(client, end), finish(server, end));
}

/// Counts a connection as closed, whatever ends it.
struct Closed<'a>(&'a Counters);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.closed.fetch_add(1, Relaxed);
    }
}

async fn finish(mut stream: TcpStream, end: End) {
    if end == End::Rst {
        // Without it the reset would be a FIN; the test that needs one sees the difference.
        let _ = stream.set_zero_linger();
        return;
    }
    let _ = stream.shutdown().await;
    let mut rest = [0; 1024];
    let drained = async { while matches!(stream.read(&mut rest).await, Ok(n) if n > 0) {} };
    let _ = tokio::time::timeout(LINGER, drained).await;
}

#[cfg(test)]
mod tests;
