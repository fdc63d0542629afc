//! Listens to what the network announces.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use mdns_sd::{Error, ResolvedService, ServiceDaemon, ServiceEvent};
use tokio::time::{Instant, timeout_at};

use super::PORT;
use crate::discovery::sweep::ANNOUNCED;

/// What a server with a page or an API is announced as.
const TYPE: &str = "_http._tcp.local.";
/// For how long answers are gathered.
const LISTEN: Duration = Duration::from_millis(1_200);
/// Places that one sweep looks at; a network that announces more is not believed.
const PLACES: usize = ANNOUNCED as usize;

/// Where the network says that servers are, in their order; what went wrong is in the log, and then there are none.
///
/// # Cancel safety
/// Dropping the future stops listening.
pub(crate) async fn browse() -> Vec<SocketAddr> {
    match browse_on(PORT, LISTEN).await {
        Ok(places) => places.into_iter().collect(),
        Err(error) => {
            tracing::warn!(%error, "the announcements of the network cannot be heard");
            Vec::new()
        }
    }
}

pub(super) async fn browse_on(port: u16, listen: Duration) -> Result<BTreeSet<SocketAddr>, Error> {
    let daemon = Listening(ServiceDaemon::new_with_port(port)?);
    let events = daemon.0.browse(TYPE)?;
    let until = Instant::now() + listen;
    let mut places = BTreeSet::new();
    // A daemon that ended says nothing more.
    while let Ok(Ok(event)) = timeout_at(until, events.recv_async()).await {
        if let ServiceEvent::ServiceResolved(service) = event {
            places.extend(announced(&service));
            if places.len() >= PLACES {
                tracing::warn!(most = PLACES, "more servers are announced than are looked at");
                break;
            }
        }
    }
    Ok(places.into_iter().take(PLACES).collect())
}

/// Ends the thread of the daemon.
struct Listening(ServiceDaemon);

impl Drop for Listening {
    fn drop(&mut self) {
        // A daemon that is gone needs no end.
        let _ = self.0.shutdown();
    }
}

/// One place for each machine: its IPv4 address first.
fn announced(service: &ResolvedService) -> Option<SocketAddr> {
    let addresses = service.addresses.iter().map(mdns_sd::ScopedIp::to_ip_addr);
    let near = addresses.filter(|ip| is_of_here(*ip)).min()?;
    (service.port > 0).then_some(SocketAddr::new(near, service.port))
}

/// Whether an address is of a local network. Whoever announces must not send us elsewhere. An IPv6 address that holds
/// on one link only cannot be written into an address of a backend, and does not count.
fn is_of_here(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_local_network_are_looked_at() {
        for (ip, here) in [
            ("127.0.0.1", true),
            ("10.1.2.3", true),
            ("192.168.0.9", true),
            ("169.254.1.1", true),
            ("8.8.8.8", false),
            ("172.32.0.1", false),
            ("::1", true),
            ("fd00::7", true),
            ("fe80::1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_of_here(ip.parse().unwrap()), here, "{ip}");
        }
    }
}
