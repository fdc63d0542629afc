//! What a sweep looks at.

use indexmap::IndexSet;

use crate::discovery::{Host, KNOWN, PortRange};

/// What a sweep looks at: every port on every host. The default is the known ports of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scope {
    /// Which machines.
    pub hosts: Vec<Host>,
    /// Which ports of each, in order.
    pub ports: Vec<PortRange>,
    /// Whether what the local network announces by mDNS is looked at, too: each announced server on its own port. A
    /// build without the feature `mdns` hears nothing.
    pub browse: bool,
}

impl Default for Scope {
    fn default() -> Self {
        Self { hosts: vec![Host::Loopback], ports: KNOWN.to_vec(), browse: false }
    }
}

impl Scope {
    /// The known ports of this machine.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at these hosts in place of this machine. None leaves it as it is.
    #[must_use]
    pub fn hosts(mut self, hosts: impl IntoIterator<Item = Host>) -> Self {
        let hosts: Vec<_> = hosts.into_iter().collect();
        if !hosts.is_empty() {
            self.hosts = hosts;
        }
        self
    }

    /// Looks at these ports in place of the known ones. None leaves it as it is.
    #[must_use]
    pub fn ports(mut self, ports: impl IntoIterator<Item = PortRange>) -> Self {
        let ports: Vec<_> = ports.into_iter().collect();
        if !ports.is_empty() {
            self.ports = ports;
        }
        self
    }

    /// Looks at these, too, after what it has.
    #[must_use]
    pub fn and(mut self, hosts: &[Host], ports: &[PortRange]) -> Self {
        self.hosts.extend(hosts.iter().cloned());
        self.ports.extend(ports);
        self
    }

    /// Looks at what the local network announces, too.
    #[must_use]
    pub fn browse(mut self, browse: bool) -> Self {
        self.browse = browse;
        self
    }

    /// The ports in their order, each once.
    pub(crate) fn every_port(&self) -> Vec<u16> {
        let ports: IndexSet<u16> = self.ports.iter().flat_map(|range| range.ports()).collect();
        ports.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_ports_come_first_and_each_once() {
        let more = ["9000-9001".parse().unwrap(), "8188".parse().unwrap()];
        let ports = Scope::new().and(&[], &more).every_port();
        assert_eq!(ports[..2], [8188, 7860]);
        assert_eq!(ports[ports.len() - 2..], [9000, 9001]);
        for known in [8188, 7860, 7870, 4000, 8000, 8189, 7820, 7829, 7865, 7863, 11434, 1234, 8080] {
            assert_eq!(ports.iter().filter(|p| **p == known).count(), 1, "{known}");
        }
    }

    #[test]
    fn what_is_named_stands_in_place_of_the_known() {
        let scope = Scope::new().ports([PortRange::one(9)]).hosts([]);
        assert_eq!((scope.every_port(), scope.hosts.len()), (vec![9], 1));
    }
}
