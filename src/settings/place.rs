//! Addresses that lead to the same place.

use crate::net::Address;

/// An address as a key: the ways to write this machine (`localhost`, `127.0.0.1`, `[::1]`) are one.
///
/// A server that listens on both families is found at both, and is one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Spot {
    /// `None` is this machine.
    host: Option<String>,
    port: u16,
    path: String,
}

impl Spot {
    pub(crate) fn of(address: &Address) -> Self {
        let host = (!address.is_loopback()).then(|| address.host().to_lowercase());
        Self { host, port: address.port(), path: address.base_path().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(text: &str) -> Spot {
        Spot::of(&Address::parse(text).unwrap())
    }

    #[test]
    fn this_machine_has_one_name() {
        for other in ["localhost:1", "[::1]:1", "http://127.0.0.1:1/", "127.0.0.2:1"] {
            assert_eq!(spot(other), spot("127.0.0.1:1"), "{other}");
        }
        for other in ["127.0.0.1:2", "127.0.0.1:1/comfy", "10.0.0.1:1"] {
            assert_ne!(spot(other), spot("127.0.0.1:1"), "{other}");
        }
        assert_eq!(spot("Studio.example:1"), spot("studio.example:1"));
    }
}
