//! The cookies of a log-in. They live in the session, never in a jar that outlives it or is shared.

use http::{HeaderMap, HeaderValue, header};

/// The most cookies that are kept.
const COUNT: usize = 16;
/// The longest cookie that is kept.
const LENGTH: usize = 4096;

/// The cookies of a log-in, as one header.
#[derive(Debug, Clone)]
pub(super) struct Cookies(HeaderValue);

impl Cookies {
    /// The cookies that an answer sets and that this scheme may carry: one marked `Secure` stays off plain http.
    /// Gradio sets both kinds, `access-token-…` (Secure) and `access-token-unsecure-…`.
    pub(super) fn of(headers: &HeaderMap, scheme: &str) -> Option<Self> {
        let pairs: Vec<&str> = headers
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|line| pair(line.to_str().ok()?, scheme))
            .take(COUNT)
            .collect();
        if pairs.is_empty() {
            return None;
        }
        let mut value = HeaderValue::from_str(&pairs.join("; ")).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }

    /// The header's value; marked sensitive.
    pub(super) fn header(&self) -> &HeaderValue {
        &self.0
    }
}

fn pair<'l>(line: &'l str, scheme: &str) -> Option<&'l str> {
    let mut parts = line.split(';');
    let pair = parts.next()?.trim();
    let secure = parts.any(|a| a.trim().eq_ignore_ascii_case("secure"));
    let fits = pair.len() <= LENGTH && pair.split_once('=').is_some_and(|(name, _)| !name.is_empty());
    (fits && (!secure || scheme == "https")).then_some(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in [
            "access-token-Ab=one; HttpOnly; Path=/; SameSite=none; Secure",
            "access-token-unsecure-Ab=one; HttpOnly; Path=/; SameSite=lax",
        ] {
            headers.append(header::SET_COOKIE, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn a_secure_cookie_stays_off_plain_http() {
        let http = Cookies::of(&answer(), "http").unwrap();
        assert_eq!(http.header(), "access-token-unsecure-Ab=one");
        let https = Cookies::of(&answer(), "https").unwrap();
        assert_eq!(https.header(), "access-token-Ab=one; access-token-unsecure-Ab=one");
    }

    #[test]
    fn a_cookie_is_not_shown() {
        let shown = format!("{:?}", Cookies::of(&answer(), "http").unwrap());
        assert!(!shown.contains("one"), "{shown}");
    }

    #[test]
    fn an_answer_without_cookies_gives_none() {
        assert!(Cookies::of(&HeaderMap::new(), "http").is_none());
    }
}
