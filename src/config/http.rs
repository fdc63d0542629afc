//! The settings of the HTTP API and the dashboard.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use crate::config::Secret;

/// Where and for whom the API is served.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct HttpConfig {
    /// Where the binary listens; `None` is [`Self::DEFAULT_LISTEN`]. A host that mounts the router has its own.
    pub listen: Option<SocketAddr>,
    /// Names beside the loopback ones by which the API may be asked (the `Host` header).
    pub hosts: Vec<String>,
    /// The token; `None` makes one at each start.
    pub token: Option<Secret>,
    /// A second token, which looks and changes nothing.
    pub reader: Option<Secret>,
}

impl HttpConfig {
    /// `127.0.0.1:7717`.
    pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 7717));

    /// Where the binary listens.
    pub fn listen(&self) -> SocketAddr {
        self.listen.unwrap_or(Self::DEFAULT_LISTEN)
    }
}
