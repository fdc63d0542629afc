//! A port of a machine, by all addresses that the machine is reached at.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;

use crate::{
    discovery::{
        Find, Host,
        glance::{Glance, Looked},
        inquiry::Inquiry,
        pace::Pace,
        visit::Visit,
    },
    net::Address,
};

/// All that one address may take: knocking, every question, every answer.
pub(super) const BUDGET: Duration = Duration::from_millis(1_500);
/// A connection of this machine to itself takes no longer, whatever the program behind it does.
const NEAR_CONNECT: Duration = Duration::from_millis(500);

/// A machine, as it is named in an address, with the addresses that the name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) doors: Vec<Door>,
}

/// One way to a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Door {
    ip: IpAddr,
    /// As it stands in an address.
    host: String,
}

impl Door {
    fn of(ip: IpAddr) -> Self {
        let host = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
        Self { ip, host }
    }
}

impl Machine {
    /// The machines that a host stands for.
    ///
    /// # Errors
    /// A name that does not resolve in time comes back.
    pub(super) async fn of(host: &Host) -> Result<Vec<Self>, String> {
        Ok(match host {
            Host::Loopback => {
                let ips = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
                vec![Self { doors: ips.map(Door::of).to_vec() }]
            }
            Host::Ip(ip) => vec![Self::at(*ip)],
            Host::Network(network) => network.addresses().map(Self::at).collect(),
            Host::Name(name) => vec![Self::named(name).await?],
        })
    }

    /// The machine that has this address.
    pub(super) fn at(ip: IpAddr) -> Self {
        Self { doors: vec![Door::of(ip)] }
    }

    async fn named(name: &str) -> Result<Self, String> {
        let asked = tokio::time::timeout(BUDGET, tokio::net::lookup_host((name, 0))).await;
        let Ok(Ok(found)) = asked else { return Err(name.to_owned()) };
        let ips: Vec<_> = found.map(|socket| socket.ip()).collect();
        // One address of each family is the machine; the others of a name may be other machines.
        let first = |of: fn(&IpAddr) -> bool| ips.iter().copied().find(of);
        let doors = [first(IpAddr::is_ipv4), first(IpAddr::is_ipv6)].into_iter().flatten();
        let doors: Vec<_> = doors.map(|ip| Door { ip, host: name.to_owned() }).collect();
        if doors.is_empty() { Err(name.to_owned()) } else { Ok(Self { doors }) }
    }

    pub(super) fn is_near(&self) -> bool {
        self.doors.iter().all(|door| door.ip.to_canonical().is_loopback())
    }

    /// Who listens on a port. `pace` is another machine's: it is asked by one address after the other.
    pub(super) async fn look(&self, port: u16, pace: Option<Arc<Pace>>) -> Looked {
        let seen = match pace {
            None => join_all(self.doors.iter().map(|door| door.look(port, None))).await,
            Some(pace) => {
                let mut seen = Vec::new();
                for door in &self.doors {
                    seen.push(door.look(port, Some(pace.clone())).await);
                    if matches!(seen.last(), Some(Glance::Told(..))) {
                        break;
                    }
                }
                seen
            }
        };
        Looked::of(seen)
    }
}

impl Door {
    async fn look(&self, port: u16, pace: Option<Arc<Pace>>) -> Glance {
        let authority = format!("{}:{port}", self.host);
        let connect = if pace.is_none() { NEAR_CONNECT } else { BUDGET };
        // The wait for a turn is not the server's fault, so the budget begins after it.
        if let Some(pace) = &pace {
            pace.turn().await;
        }
        let mut visit = Visit::new(SocketAddr::new(self.ip, port), authority.clone(), connect, pace);
        let mut inquiry = Inquiry::new(port);
        let mut is_open = false;
        let asked = async {
            is_open = visit.knock().await.is_ok();
            if !is_open {
                return;
            }
            while let Some(question) = inquiry.next() {
                let Ok(answer) = visit.ask(question).await else { break };
                tracing::trace!(target: "wire", place = authority, path = question.path(),
                    status = answer.status.as_u16(), "discovery");
                inquiry.heard(&answer);
            }
        };
        let is_late = tokio::time::timeout(BUDGET, asked).await.is_err();
        let Ok(url) = Address::parse(&format!("http://{authority}")) else { return Glance::Nothing };
        // What was proved by then holds.
        match inquiry.end() {
            Some(sighting) => Glance::Told(url, sighting),
            None if is_late && is_open => Glance::Silent(url),
            None => Glance::Nothing,
        }
    }
}

/// Who answers at an address, asked once and in discovery's way: without a key, and within 1.5 s of each address.
pub(crate) async fn recognise(address: &Address) -> Option<Find> {
    let host: Host = address.host().parse().ok()?;
    let machine = Machine::of(&host).await.ok()?.into_iter().next()?;
    let pace = (!machine.is_near()).then(|| Arc::new(Pace::new()));
    machine.look(address.port(), pace).await.found.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hosts_are_near_or_far() {
        for (host, near, machines) in [
            ("localhost", true, 1),
            ("127.0.0.9", true, 1),
            ("10.0.0.1", false, 1),
            ("10.0.0.0/24", false, 254),
        ] {
            let found = Machine::of(&host.parse().unwrap()).await.unwrap();
            assert_eq!((found.len(), found[0].is_near()), (machines, near), "{host}");
        }
    }
}
