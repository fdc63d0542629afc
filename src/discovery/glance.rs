//! What the addresses of one port showed, put together.

use crate::{
    discovery::{Find, sighting::Sighting},
    net::Address,
};

/// What one address showed.
#[derive(Debug)]
pub(super) enum Glance {
    /// Nobody, or no backend.
    Nothing,
    /// Somebody took the connection and had not said what it is when the time was over.
    Silent(Address),
    /// It is this.
    Told(Address, Sighting),
}

/// What a port of a machine showed.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) found: Vec<Find>,
    /// Where somebody listens that had not said what it is when its time was over.
    pub(super) silent: Option<Address>,
}

impl Looked {
    /// One server that listens on two addresses is told once, by the first.
    pub(super) fn of(seen: impl IntoIterator<Item = Glance>) -> Self {
        let mut told: Vec<(Address, Sighting)> = Vec::new();
        let mut silent = None;
        for glance in seen {
            match glance {
                Glance::Nothing => {}
                Glance::Silent(url) => silent = silent.or(Some(url)),
                Glance::Told(url, sighting) => {
                    if !told.iter().any(|(_, other)| other.is_same_as(&sighting)) {
                        told.push((url, sighting));
                    }
                }
            }
        }
        // Whoever told by one address is no riddle by the other.
        let silent = silent.filter(|_| told.is_empty());
        Self { found: told.into_iter().map(|(url, sighting)| sighting.at(url)).collect(), silent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    fn url(host: &str) -> Address {
        Address::parse(&format!("http://{host}:7860")).unwrap()
    }

    fn told(host: &str, boot: &str) -> Glance {
        let mut sighting = Sighting::new(Kind::Gradio, "gradio:1".into());
        sighting.boot = Some(boot.into());
        Glance::Told(url(host), sighting)
    }

    #[test]
    fn one_server_on_two_addresses_is_one_find_and_two_are_two() {
        let found = Looked::of([told("127.0.0.1", "1"), told("[::1]", "1")]).found;
        assert_eq!((found.len(), found[0].url.host()), (1, "127.0.0.1"));
        assert_eq!(Looked::of([told("127.0.0.1", "1"), told("[::1]", "2")]).found.len(), 2);
    }

    #[test]
    fn a_port_is_silent_once_and_only_where_nobody_told() {
        let silent = |host| Glance::Silent(url(host));
        let half = Looked::of([silent("127.0.0.1"), told("[::1]", "1")]);
        assert_eq!((half.found.len(), half.silent), (1, None));
        let mute = Looked::of([silent("127.0.0.1"), silent("[::1]")]);
        assert_eq!((mute.found.len(), mute.silent), (0, Some(url("127.0.0.1"))));
        let nobody = Looked::of([Glance::Nothing, Glance::Nothing]);
        assert_eq!((nobody.found.len(), nobody.silent), (0, None));
    }
}
