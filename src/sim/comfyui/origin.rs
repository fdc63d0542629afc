//! Who may ask: a page from elsewhere may not, where the server is asked by a loopback name.

use http::{HeaderMap, header};
use url::{Host, Url};

use crate::sim::comfyui::Version;

/// Whether the server answers 403 to a request with these headers.
pub(super) fn forbids(version: Version, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if version == Version::V0_24_0 && text("sec-fetch-site") == Some("cross-site") {
        return true;
    }
    let (Some(host), Some(origin)) = (text(header::HOST.as_str()), text(header::ORIGIN.as_str())) else {
        return false;
    };
    let Some((_, authority)) = origin.split_once("://") else { return false };
    let Ok(host) = Url::parse(&format!("http://{host}")) else { return false };
    let Ok(from) = Url::parse(&format!("http://{authority}")) else { return false };
    if !is_loopback(&host) {
        return false;
    }
    // Where one of the two names no port, names alone are compared.
    let port = |url: &Url| url.port();
    let names_differ = host.host_str() != from.host_str();
    names_differ || (port(&host).is_some() && port(&from).is_some() && port(&host) != port(&from))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden(host: &str, origin: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        forbids(Version::V0_24_0, &headers)
    }

    #[test]
    fn origins_are_judged_as_recorded() {
        let host = "127.0.0.1:8190";
        for allowed in ["http://127.0.0.1:8190", "http://127.0.0.1", "null"] {
            assert!(!forbidden(host, allowed), "{allowed}");
        }
        for refused in
            ["http://evil.example", "http://localhost:8190", "http://127.0.0.1:9999", "tauri://localhost"]
        {
            assert!(forbidden(host, refused), "{refused}");
        }
        assert!(!forbidden("192.168.1.5:8188", "http://evil.example"));
    }

    #[test]
    fn only_the_newer_version_looks_at_the_fetch_site() {
        let mut headers = HeaderMap::new();
        headers.insert("sec-fetch-site", "cross-site".parse().unwrap());
        assert!(forbids(Version::V0_24_0, &headers));
        assert!(!forbids(Version::V0_3_64, &headers));
    }
}
