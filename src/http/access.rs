//! Who may ask: the token, the `Host`, and where a browser's request comes from.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use super::{Context, answer::refusal};
use crate::{model::Class, net::body::hex};

/// How long a one-time code can be traded.
const CODE_LIFE: Duration = Duration::from_secs(600);
/// Codes and sessions that are kept; the oldest go first.
const KEPT: usize = 64;

/// A secret of 256 random bits, in hexadecimal; or one that a person set.
#[derive(Clone)]
pub struct Token(Arc<str>);

impl Token {
    /// A new one.
    pub fn random() -> Self {
        let mut bits = [0; 32];
        rustls::crypto::aws_lc_rs::default_provider()
            .secure_random
            .fill(&mut bits)
            .expect("the system has random bits; without them nothing here is safe");
        Self(hex(&bits).into())
    }

    /// One that a person set; at least 16 characters.
    pub fn fixed(text: &str) -> Option<Self> {
        let text = text.trim();
        (text.len() >= 16 && text.bytes().all(|b| b.is_ascii_graphic())).then(|| Self(text.into()))
    }

    /// The secret itself, for the file that the owner alone reads.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn matches(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// Who may ask.
#[derive(Clone, Debug)]
pub struct Access(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    token: Token,
    hosts: Vec<String>,
    codes: Mutex<HashMap<String, Instant>>,
    sessions: Mutex<Vec<[u8; 32]>>,
}

impl Access {
    /// Whoever has this token, from this machine's own names.
    pub fn token(token: Token) -> Self {
        Self::with_hosts(token, Vec::new())
    }

    /// As [`Self::token`]; the API may also be asked by these names (`studio.example`, with a port where it is not
    /// the scheme's).
    pub fn with_hosts(token: Token, hosts: Vec<String>) -> Self {
        let hosts = hosts.into_iter().map(|h| h.to_ascii_lowercase()).collect();
        Self(Arc::new(Rules { token, hosts, codes: Mutex::default(), sessions: Mutex::default() }))
    }

    /// A code that can be traded once, within 10 minutes, for a session of the page.
    pub fn one_time_code(&self) -> String {
        let code = Token::random().0.to_string();
        let mut codes = lock(&self.0.codes);
        let now = Instant::now();
        codes.retain(|_, made| now.saturating_duration_since(*made) < CODE_LIFE);
        if codes.len() < KEPT {
            codes.insert(code.clone(), now);
        }
        code
    }

    /// Trades a code for a session's token.
    pub(crate) fn trade(&self, code: &str) -> Option<Token> {
        let made = lock(&self.0.codes).remove(code)?;
        if Instant::now().saturating_duration_since(made) >= CODE_LIFE {
            return None;
        }
        let session = Token::random();
        let mut sessions = lock(&self.0.sessions);
        if sessions.len() == KEPT {
            sessions.remove(0);
        }
        sessions.push(digest(session.expose()));
        Some(session)
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        let Some(given) = bearer.and_then(|b| b.strip_prefix("Bearer ")) else { return false };
        if self.0.token.matches(given) {
            return true;
        }
        let given = digest(given);
        lock(&self.0.sessions).iter().any(|s| s.ct_eq(&given).into())
    }

    /// Whether a `Host` is one of ours: a page of another name that resolves to this machine is not.
    fn is_ours(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if !name.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host.as_str(),
        };
        matches!(name, "127.0.0.1" | "localhost" | "[::1]") || self.0.hosts.contains(&host)
    }
}

/// Refuses what comes from elsewhere, before it is routed; sets the headers that every answer has.
pub(crate) async fn from_here(State(context): State<Context>, request: Request, next: Next) -> Response {
    let mut answer = match foreign(&context.access, &request) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                   img-src 'self' blob: data:; media-src blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

fn foreign(access: &Access, request: &Request) -> Option<Response> {
    let headers = request.headers();
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().unwrap_or_default(),
        _ => "",
    };
    // An absolute request line overrules the header, for whoever routes by it: both have to be ours.
    let authority = request.uri().authority().map(|a| a.as_str());
    if !access.is_ours(host) || authority.is_some_and(|a| !access.is_ours(a)) {
        let message = "this name is not one of Backline's";
        let fix = "Ask by 127.0.0.1 or localhost, or add the name to `http: (hosts: […])`.";
        return Some(refusal(StatusCode::MISDIRECTED_REQUEST, "foreign_host", Class::Auth, message, fix));
    }
    let site = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok());
    let origin = headers.get(header::ORIGIN).map(|v| v.to_str().unwrap_or("null"));
    let own = |origin: &str| {
        origin
            .split_once("://")
            .is_some_and(|(scheme, rest)| matches!(scheme, "http" | "https") && rest == host)
    };
    let foreign_origin = origin.is_some_and(|o| !own(o));
    // A link or a typed address opens the page; nothing else of another site gets anything.
    let navigates = headers.get("sec-fetch-mode").is_some_and(|m| m == "navigate")
        && request.method() == http::Method::GET
        && !request.uri().path().contains("/api/");
    let foreign_site = matches!(site, Some("cross-site" | "same-site")) && !navigates;
    if foreign_origin || foreign_site {
        let message = "a page of another origin sent this";
        let fix = "Use Backline's own page, or a program with the token.";
        return Some(refusal(StatusCode::FORBIDDEN, "foreign_origin", Class::Auth, message, fix));
    }
    None
}

/// Lets in who has the token.
pub(crate) async fn with_token(State(context): State<Context>, request: Request, next: Next) -> Response {
    if context.access.admits(request.headers()) {
        return next.run(request).await;
    }
    let fix =
        "Send `Authorization: Bearer TOKEN`; `backline open` prints an address that carries a one-time code.";
    let mut answer =
        refusal(StatusCode::UNAUTHORIZED, "token_needed", Class::Auth, "the token is missing or wrong", fix);
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_names_and_configured_ones_are_ours() {
        let access = Access::with_hosts(Token::random(), vec!["studio.example:8443".into()]);
        for ours in
            ["127.0.0.1", "127.0.0.1:7717", "LOCALHOST:1", "[::1]:7717", "[::1]", "Studio.Example:8443"]
        {
            assert!(access.is_ours(ours), "{ours}");
        }
        for foreign in [
            "",
            "evil.test",
            "127.0.0.1.evil.test",
            "localhost.",
            "localhost.evil.test:7717",
            "[::ffff:127.0.0.1]",
            "studio.example",
            "127.0.0.1:7717@evil.test",
            "0.0.0.0:7717",
            "127.0.0.1:x",
        ] {
            assert!(!access.is_ours(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_code_is_good_once() {
        let access = Access::token(Token::random());
        let code = access.one_time_code();
        let session = access.trade(&code).unwrap();
        assert!(access.trade(&code).is_none());
        let mut headers = HeaderMap::new();
        assert!(!access.admits(&headers));
        headers.insert(header::AUTHORIZATION, format!("Bearer {}", session.expose()).parse().unwrap());
        assert!(access.admits(&headers));
        headers.insert(header::AUTHORIZATION, format!("Bearer {code}").parse().unwrap());
        assert!(!access.admits(&headers));
    }
}
