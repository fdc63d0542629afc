//! Announces our own API.

use std::net::SocketAddr;

use mdns_sd::{Error, ServiceDaemon, ServiceInfo};

use super::PORT;

/// The type of service that Backline's API is announced as.
pub const SERVICE: &str = "_backline._tcp.local.";

/// Our API, announced as [`SERVICE`] on the local network; dropping it takes the announcement back. It says where the
/// API is and which version serves it, and no token.
pub struct Announcement {
    daemon: ServiceDaemon,
    name: String,
}

impl Announcement {
    /// Announces an API that listens at `address`, under the name of this machine.
    ///
    /// # Errors
    /// mDNS is not available here: its port cannot be shared, or there is no network.
    pub fn new(address: SocketAddr) -> Result<Self, Error> {
        Self::on(PORT, address)
    }

    pub(super) fn on(port: u16, address: SocketAddr) -> Result<Self, Error> {
        let daemon = ServiceDaemon::new_with_port(port)?;
        // Unique without a person's choice; the library renames one that is taken all the same.
        let id = uuid::Uuid::new_v4().simple().to_string();
        let (instance, host) = (format!("backline-{}", &id[..8]), format!("backline-{}.local.", &id[..8]));
        let properties = [("path", "/api/v1"), ("version", env!("CARGO_PKG_VERSION"))];
        let ip = address.ip();
        let service = if ip.is_unspecified() {
            ServiceInfo::new(SERVICE, &instance, &host, (), address.port(), &properties[..])?
                .enable_addr_auto()
        } else {
            ServiceInfo::new(SERVICE, &instance, &host, ip, address.port(), &properties[..])?
        };
        let name = service.get_fullname().to_owned();
        daemon.register(service)?;
        Ok(Self { daemon, name })
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // A daemon that is gone announces nothing.
        let _ = self.daemon.unregister(&self.name);
        let _ = self.daemon.shutdown();
    }
}
