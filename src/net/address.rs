//! Where a backend listens: an origin (scheme, host, port) and a base path.

use std::{fmt, net::IpAddr};

use serde::Serialize;
use url::{Host, Url};

use crate::model::{Code, Fault};

/// Where a backend listens. It has no user, password, query or fragment, so it is safe to show.
///
/// Accepted with or without a scheme (`http` then), with or without a closing slash, with a base path for a server
/// behind a reverse proxy (`https://studio.example/comfy`). A closing `/v1` of an OpenAI base URL is taken off,
/// since the paths of this library name it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    url: Url,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say it")]
pub enum AddressError {
    #[error("`{text}` is no address: {cause}")]
    Malformed { text: String, cause: String },
    #[error("`{scheme}` is neither http nor https")]
    Scheme { scheme: String },
    #[error(
        "an address carries no user, password, query or fragment; keys belong in `api_key`, log-ins in `login`"
    )]
    Extras,
}

impl From<AddressError> for Fault {
    fn from(error: AddressError) -> Self {
        Self::new(Code::BadUrl, error.to_string())
    }
}

impl Address {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let mut url = Url::parse(&full).map_err(|e| AddressError::Malformed {
            // The text itself could hold a password.
            text: text.split('@').next_back().unwrap_or_default().chars().take(120).collect(),
            cause: e.to_string(),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(AddressError::Scheme { scheme: url.scheme().chars().take(20).collect() });
        }
        let extras = !url.username().is_empty() || url.password().is_some();
        if extras || url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::Extras);
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/v1").unwrap_or(path).trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self { url })
    }

    /// The address of a port of this machine.
    pub fn loopback(port: u16) -> Self {
        let mut url = Url::parse("http://127.0.0.1/").expect("a constant address");
        url.set_port(Some(port)).expect("an http address takes a port");
        Self { url }
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// The host, an IPv6 one in brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The host without brackets, as a resolver and a certificate have it.
    pub(crate) fn bare_host(&self) -> &str {
        self.host().trim_matches(['[', ']'])
    }

    /// The port, the scheme's own where none is written.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// The base path without a closing slash; empty at the root.
    pub fn base_path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// Whether the host is this machine: decides how fast we redial, and whether a key may go in the clear.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// `host:port`, as messages name it.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host(), self.port())
    }

    /// The URL of a path below the base. The path is ours, or a remote text escaped by [`Self::url_with`].
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{}", self.base_path(), path.trim_start_matches('/')));
        url
    }

    /// The URL of a path below the base, with query pairs, escaped.
    pub fn url_with(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(query);
        url
    }

    /// The WebSocket URL of a path below the base, with query pairs.
    pub fn ws_url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.url_with(path, query);
        let scheme = if self.scheme() == "https" { "wss" } else { "ws" };
        url.set_scheme(scheme).expect("http and ws are both special schemes");
        url
    }

    /// Whether a URL has this origin: scheme, host and port. A key goes nowhere else.
    pub fn is_origin_of(&self, url: &Url) -> bool {
        self.url.origin() == url.origin()
    }
}

/// Whether the host of an address is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        // An IPv4 address mapped into IPv6 counts as what it is.
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).to_canonical().is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_in_which_people_write_an_address_mean_the_same() {
        for text in
            ["http://127.0.0.1:4000", "127.0.0.1:4000/", "http://127.0.0.1:4000/v1", "127.0.0.1:4000/v1/"]
        {
            assert_eq!(Address::parse(text).unwrap().to_string(), "http://127.0.0.1:4000", "{text}");
        }
    }

    #[test]
    fn a_base_path_is_kept_and_joined() {
        let address = Address::parse("https://studio.example/comfy/").unwrap();
        assert_eq!(address.url("queue").as_str(), "https://studio.example/comfy/queue");
        assert_eq!(
            address.ws_url("/ws", &[("clientId", "a b")]).as_str(),
            "wss://studio.example/comfy/ws?clientId=a+b"
        );
        assert_eq!(address.port(), 443);
    }

    #[test]
    fn secrets_and_other_schemes_have_no_place_in_an_address() {
        assert_eq!(Address::parse("http://u:p@host/"), Err(AddressError::Extras));
        assert_eq!(Address::parse("http://host/?key=x"), Err(AddressError::Extras));
        assert!(matches!(Address::parse("ftp://host/"), Err(AddressError::Scheme { .. })));
        let Err(error) = Address::parse("http://u:secret@ho st/") else { panic!("accepted") };
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn loopback_is_told_by_address_not_by_hope() {
        for yes in ["127.0.0.1", "127.9.9.9:1", "[::1]:80", "localhost:3", "[::ffff:127.0.0.1]:1"] {
            assert!(Address::parse(yes).unwrap().is_loopback(), "{yes}");
        }
        for no in ["10.0.0.1", "localhost.example.com", "0.0.0.0", "example.com"] {
            assert!(!Address::parse(no).unwrap().is_loopback(), "{no}");
        }
    }
}
