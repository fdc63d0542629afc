//! What makes two backends one server for a probe.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::config::BackendConfig;

/// An endpoint; cheap to compare, since a thousand backends are compared at each probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Endpoint(u64);

impl Endpoint {
    /// Of a backend's settings. What goes through a proxy, or says more in its headers, may meet another server at the
    /// same address: it shares with nobody.
    pub(super) fn of(config: &BackendConfig) -> Option<Self> {
        if config.proxy.is_some() || !config.headers.is_empty() {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        (config.kind.as_str(), config.url.to_string()).hash(&mut hasher);
        Some(Self(hasher.finish()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Secret, model::Kind, net::Address};

    #[test]
    fn one_address_and_one_kind_are_one_endpoint_unless_something_stands_between() {
        let at =
            |id: &str, kind, port| BackendConfig::new(id.parse().unwrap(), kind, Address::loopback(port));
        let of = |config: &BackendConfig| Endpoint::of(config).unwrap();
        let (one, same) = (at("a", Kind::Comfyui, 1), at("b", Kind::Comfyui, 1));
        assert_eq!(of(&one), of(&same));
        assert_ne!(of(&one), of(&at("a", Kind::Comfyui, 2)));
        assert_ne!(of(&one), of(&at("a", Kind::Gradio, 1)));
        let through = BackendConfig { proxy: Some(Secret::Inline("http://p".into())), ..one };
        assert_eq!(Endpoint::of(&through), None);
    }
}
