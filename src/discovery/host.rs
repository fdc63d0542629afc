//! Machines to look at.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use serde::{Serialize, Serializer};

/// Which machines: this one, or others that somebody named. No other machine is ever looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Host {
    /// This machine, by IPv4 and IPv6.
    Loopback,
    /// A machine by its address.
    Ip(IpAddr),
    /// A machine by its name.
    Name(String),
    /// Every machine of a small network.
    Network(Network),
}

/// A network of at most 256 addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

impl Network {
    /// The addresses of it that a machine can have.
    pub fn addresses(self) -> impl Iterator<Item = IpAddr> {
        let (width, first) = match self.first {
            IpAddr::V4(ip) => (32, u128::from(ip.to_bits())),
            IpAddr::V6(ip) => (128, ip.to_bits()),
        };
        let count = 1_u128 << (width - u32::from(self.prefix));
        let v4 = self.first.is_ipv4();
        // The first and the last of an IPv4 network are no machine's.
        let (skip, end) = if v4 && count > 2 { (1, count - 1) } else { (0, count) };
        (skip..end).map(move |step| {
            let bits = first + step;
            match u32::try_from(bits) {
                Ok(bits) if v4 => IpAddr::V4(Ipv4Addr::from_bits(bits)),
                _ => IpAddr::V6(Ipv6Addr::from_bits(bits)),
            }
        })
    }

    fn read(address: &str, prefix: &str) -> Result<Self, String> {
        let ip: IpAddr =
            address.parse().map_err(|_| "is no network: write one like 10.0.0.0/24".to_owned())?;
        let (width, least) = if ip.is_ipv4() { (32, 24) } else { (128, 120) };
        let prefix = prefix.parse::<u8>().ok().filter(|prefix| *prefix <= width);
        let prefix = prefix.ok_or_else(|| "is no network: write one like 10.0.0.0/24".to_owned())?;
        if prefix < least {
            return Err(format!("is too large a network: at most /{least} (256 addresses)"));
        }
        let host_bits = u32::from(width - prefix);
        let first = match ip {
            IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from_bits(
                u32::try_from((u64::from(ip.to_bits()) >> host_bits) << host_bits).unwrap_or(ip.to_bits()),
            )),
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits((ip.to_bits() >> host_bits) << host_bits)),
        };
        Ok(Self { first, prefix })
    }
}

impl Host {
    /// How many other machines it stands for, at most.
    pub(crate) fn machines(&self) -> u32 {
        match self {
            Self::Loopback => 0,
            Self::Ip(_) | Self::Name(_) => 1,
            Self::Network(network) => u32::try_from(network.addresses().count()).unwrap_or(u32::MAX),
        }
    }
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if text.eq_ignore_ascii_case("localhost") {
            return Ok(Self::Loopback);
        }
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return if ip.is_unspecified() || ip.is_multicast() {
                Err("is no machine's address".to_owned())
            } else {
                Ok(Self::Ip(ip))
            };
        }
        if let Some((address, prefix)) = text.split_once('/').filter(|_| !text.contains("://")) {
            return Network::read(address, prefix).map(Self::Network);
        }
        let label = |part: &str| {
            !part.is_empty()
                && part.len() < 64
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        let is_name = text.trim_end_matches('.').split('.').all(label) && text.len() < 254;
        // `10.0.0` would be read as an address by some resolvers.
        let is_number = text.chars().all(|c| c.is_ascii_digit() || c == '.');
        if !is_name || is_number {
            return Err(
                "is no host: write a name, an address, or a network like 10.0.0.0/24, without a port"
                    .to_owned(),
            );
        }
        Ok(Self::Name(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback => f.write_str("localhost"),
            Self::Ip(ip) => write!(f, "{ip}"),
            Self::Name(name) => f.write_str(name),
            Self::Network(network) => write!(f, "{}/{}", network.first, network.prefix),
        }
    }
}

impl Serialize for Host {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_and_written_back() {
        for text in
            ["localhost", "10.0.0.5", "fe80::1", "render-box", "a.b.example", "10.0.0.0/24", "fd00::/120"]
        {
            assert_eq!(text.parse::<Host>().unwrap().to_string(), text);
        }
        assert_eq!("10.0.0.77/28".parse::<Host>().unwrap().to_string(), "10.0.0.64/28");
    }

    #[test]
    fn what_is_no_host_or_too_many_is_refused() {
        for bad in [
            "",
            "a b",
            "http://x",
            "x:80",
            "10.0.0",
            "10.0.0.0/8",
            "10.0.0.0/33",
            "fd00::/64",
            "0.0.0.0",
            "a/24",
            "-/-",
        ] {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_network_has_its_machines_and_no_other() {
        let count = |text: &str| match text.parse::<Host>().unwrap() {
            Host::Network(network) => network.addresses().collect::<Vec<_>>(),
            other => panic!("{other}"),
        };
        let all = count("10.1.2.77/24");
        assert_eq!(
            (all.len(), all[0].to_string(), all[253].to_string()),
            (254, "10.1.2.1".into(), "10.1.2.254".into())
        );
        assert_eq!(count("10.1.2.4/31").len(), 2);
        assert_eq!(count("255.255.255.255/32")[0].to_string(), "255.255.255.255");
        assert_eq!(count("fd00::/120").len(), 256);
    }
}
