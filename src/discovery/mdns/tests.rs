use std::{net::SocketAddr, time::Duration};

use mdns_sd::ServiceDaemon;

use super::{Announcement, browse::browse_on};

/// A port of their own keeps tests apart from each other and from what the machine announces.
fn free_port() -> u16 {
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The first answer to a browse for a type, or none in five seconds.
async fn resolved(port: u16, of: &str) -> Option<mdns_sd::ResolvedService> {
    let daemon = ServiceDaemon::new_with_port(port).unwrap();
    let events = daemon.browse(of).unwrap();
    let found = tokio::time::timeout(Duration::from_secs(5), async {
        loop {
            if let mdns_sd::ServiceEvent::ServiceResolved(service) = events.recv_async().await.ok()? {
                return Some(*service);
            }
        }
    });
    let found = found.await.ok().flatten();
    daemon.shutdown().unwrap();
    found
}

#[tokio::test]
async fn our_api_is_announced_without_its_token() {
    let port = free_port();
    let announcement = Announcement::on(port, SocketAddr::from(([127, 0, 0, 1], 7717))).unwrap();
    let Some(service) = resolved(port, super::SERVICE).await else {
        return eprintln!("SKIP: mDNS: no multicast on this machine");
    };
    assert_eq!((service.port, service.txt_properties.get_property_val_str("path")), (7717, Some("/api/v1")));
    assert_eq!(service.txt_properties.len(), 2, "path and version, and nothing else");
    drop(announcement);
}

#[tokio::test]
async fn what_is_announced_here_is_looked_at() {
    let port = free_port();
    let daemon = ServiceDaemon::new_with_port(port).unwrap();
    let none: &[(&str, &str)] = &[];
    for (name, ip, at) in [("here", "127.0.0.1", 8188), ("elsewhere", "8.8.8.8", 80)] {
        let host = format!("{name}.local.");
        let service = mdns_sd::ServiceInfo::new("_http._tcp.local.", name, &host, ip, at, none).unwrap();
        daemon.register(service).unwrap();
    }
    if resolved(port, "_http._tcp.local.").await.is_none() {
        return eprintln!("SKIP: mDNS: no multicast on this machine");
    }
    let places = browse_on(port, Duration::from_secs(3)).await.unwrap();
    daemon.shutdown().unwrap();
    assert_eq!(Vec::from_iter(places), ["127.0.0.1:8188".parse().unwrap()]);
}
