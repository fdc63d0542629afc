//! One sweep: every port of every host, many at a time.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, future::join_all, stream};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use tokio::time::Instant;

use crate::{
    discovery::{
        Find, Scope,
        pace::Pace,
        place::{BUDGET, Machine},
    },
    net::Address,
};

/// Ports of this machine at once; each takes a socket by IPv4 and one by IPv6.
const NEAR: usize = 32;
/// Ports of other machines at once.
const FAR: usize = 4;

/// Places that the network may announce, at most.
pub(super) const ANNOUNCED: u32 = 64;

/// The order in which finds are told: by port, then by machine.
type Rank = (usize, usize);

/// What a sweep found. Written as the document of `backline discover --json`.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Swept {
    /// Who was found, in the order of the scope.
    pub found: Vec<Find>,
    /// How many ports were looked at, each host's counted.
    pub scanned: usize,
    /// How long it took.
    pub took: Duration,
    /// Names that do not resolve: nothing was looked at there.
    pub unresolved: Vec<String>,
    /// Who took the connection and had not said what it is after 1.5 s, in the order of the scope: a server that starts
    /// or hangs, or none of ours.
    pub silent: Vec<Address>,
}

impl Serialize for Swept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut swept = serializer.serialize_struct("Swept", 4)?;
        swept.serialize_field("found", &self.found)?;
        swept.serialize_field("scanned", &self.scanned)?;
        swept.serialize_field("took_ms", &u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX))?;
        swept.serialize_field("silent", &self.silent)?;
        swept.end()
    }
}

/// Looks at all of a scope, and tells each find as it comes.
///
/// An address costs at most 1.5 s, whatever listens there; this machine is asked over at most 64 sockets at once. Other
/// machines are asked at most 4 at once, with at most 20 connections in a second.
///
/// # Cancel safety
/// Dropping the future ends the sweep and closes its connections.
pub async fn sweep(scope: &Scope, mut on_find: impl FnMut(&Find)) -> Swept {
    let begun = Instant::now();
    let mut swept = Swept::default();
    let machines = machines(scope, &mut swept.unresolved).await;
    let ports = scope.every_port();
    let hints = hints(scope, &machines, &ports).await;
    swept.scanned = ports.len() * machines.len() + hints.len();
    let (near, far): (Vec<_>, Vec<_>) = machines.iter().enumerate().partition(|(_, m)| m.is_near());
    let pace = Arc::new(Pace::new());
    let look = |pace: Option<Arc<Pace>>| {
        move |(rank, machine, port): (Rank, Machine, u16)| {
            let pace = pace.clone();
            async move { (rank, machine.look(port, pace).await) }.boxed()
        }
    };
    let last = ports.len();
    let hinted = hints.into_iter().enumerate().map(|(at, (machine, port))| ((last, at), machine, port));
    let (near_hints, far_hints): (Vec<_>, Vec<_>) = hinted.partition(|(_, machine, _)| machine.is_near());
    let near = places(&near, &ports).chain(near_hints);
    let far = places(&far, &ports).chain(far_hints);
    let near = stream::iter(near).map(look(None)).buffer_unordered(NEAR);
    let far = stream::iter(far).map(look(Some(pace))).buffer_unordered(FAR);
    let mut looks = stream::select(near, far);
    let mut ranked = Vec::new();
    while let Some((rank, looked)) = looks.next().await {
        looked.found.iter().for_each(&mut on_find);
        ranked.push((rank, looked));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    for (_, looked) in ranked {
        swept.found.extend(looked.found);
        swept.silent.extend(looked.silent);
    }
    swept.took = begun.elapsed();
    swept
}

/// The machines of a scope, each once.
async fn machines(scope: &Scope, unresolved: &mut Vec<String>) -> Vec<Machine> {
    let mut machines: Vec<Machine> = Vec::new();
    for named in join_all(scope.hosts.iter().map(Machine::of)).await {
        match named {
            Ok(found) => found.into_iter().for_each(|machine| {
                if !machines.contains(&machine) {
                    machines.push(machine);
                }
            }),
            Err(name) => unresolved.push(name),
        }
    }
    machines
}

/// What the network announces beyond what is looked at anyway.
#[cfg(feature = "mdns")]
async fn hints(scope: &Scope, machines: &[Machine], ports: &[u16]) -> Vec<(Machine, u16)> {
    if !scope.browse {
        return Vec::new();
    }
    let this_one = scope.hosts.contains(&crate::discovery::Host::Loopback);
    let mut hints: Vec<_> = super::mdns::browse().await;
    hints.retain(|place| {
        let seen = machines.contains(&Machine::at(place.ip())) || (this_one && is_ours(place.ip()));
        !(seen && ports.contains(&place.port()))
    });
    hints.into_iter().map(|place| (Machine::at(place.ip()), place.port())).collect()
}

#[cfg(not(feature = "mdns"))]
async fn hints(_: &Scope, _: &[Machine], _: &[u16]) -> Vec<(Machine, u16)> {
    Vec::new()
}

/// Whether an address is this machine's: a socket can be bound to no other.
#[cfg(feature = "mdns")]
fn is_ours(ip: std::net::IpAddr) -> bool {
    std::net::UdpSocket::bind((ip, 0)).is_ok()
}

/// Every port of every machine, with its rank: a port on all machines comes before the next port.
fn places<'a>(
    machines: &'a [(usize, &'a Machine)],
    ports: &'a [u16],
) -> impl Iterator<Item = (Rank, Machine, u16)> {
    let each = ports.iter().enumerate();
    each.flat_map(move |(at, port)| {
        machines.iter().map(move |(rank, machine)| ((at, *rank), Machine::clone(machine), *port))
    })
}

/// The longest that a sweep of a scope can take, names included: what a person who waits is told.
pub(crate) fn longest(scope: &Scope) -> Duration {
    let ports = u32::try_from(scope.every_port().len()).unwrap_or(u32::MAX);
    let far: u32 = scope.hosts.iter().map(crate::discovery::Host::machines).sum();
    let near_rounds = ports.div_ceil(u32::try_from(NEAR).unwrap_or(1));
    let announced = if scope.browse { ANNOUNCED } else { 0 };
    let far_rounds =
        ports.saturating_mul(far).saturating_add(announced).div_ceil(u32::try_from(FAR).unwrap_or(1));
    BUDGET.saturating_mul(near_rounds.max(far_rounds).saturating_add(1)).saturating_mul(2)
}
