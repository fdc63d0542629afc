//! Who may ask: the token, the `Host`, and where a browser's request comes from.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, header};
use tokio::time::Instant;

use super::{sessions::Sessions, token::Token};
use crate::Handle;

/// How long a one-time code can be traded.
const CODE_LIFE: Duration = Duration::from_secs(600);
/// Codes that are kept; the oldest go first.
const KEPT: usize = 64;

/// Who may ask, and for what. Clones share codes and sessions.
#[derive(Clone)]
pub struct Access(Arc<Rules>);

struct Rules {
    token: Token,
    reader: Option<Token>,
    hosts: Vec<String>,
    scope: Scope,
    codes: Arc<Mutex<HashMap<String, Instant>>>,
    sessions: Arc<Sessions>,
}

/// What somebody who is let in may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Look.
    Read,
    /// Everything.
    Full,
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
        let (codes, sessions) = (Arc::default(), Arc::default());
        Self(Arc::new(Rules { token, reader: None, hosts, scope: Scope::Full, codes, sessions }))
    }

    /// Lets in another token, too, to look and change nothing.
    #[must_use]
    pub fn reader(self, token: Token) -> Self {
        self.with(|rules| rules.reader = Some(token))
    }

    /// Nobody changes anything through this router, whatever their token: for a status page.
    #[must_use]
    pub fn read_only(self) -> Self {
        self.with(|rules| rules.scope = Scope::Read)
    }

    /// Lets the API be asked by one more name, like the address that it listens on.
    #[must_use]
    pub fn host(self, name: impl Into<String>) -> Self {
        let name = name.into().to_ascii_lowercase();
        self.with(|rules| rules.hosts.push(name))
    }

    /// Goes on with the page's sessions of earlier runs, where the supervisor keeps state; and keeps those to come.
    ///
    /// # Cancel safety
    /// Dropped, sessions are those of this process alone.
    pub async fn kept_by(self, handle: &Handle) -> Self {
        if let Some(store) = handle.store() {
            self.0.sessions.keep_in(store).await;
        }
        self
    }

    fn with(self, change: impl FnOnce(&mut Rules)) -> Self {
        let Rules { token, reader, hosts, scope, codes, sessions } = &*self.0;
        let mut rules = Rules {
            token: token.clone(),
            reader: reader.clone(),
            hosts: hosts.clone(),
            scope: *scope,
            codes: codes.clone(),
            sessions: sessions.clone(),
        };
        change(&mut rules);
        Self(Arc::new(rules))
    }

    /// A code that can be traded once, within 10 minutes, for a session of the page.
    pub fn one_time_code(&self) -> String {
        let code = Token::random().expose().to_owned();
        let mut codes = lock(&self.0.codes);
        let now = Instant::now();
        codes.retain(|_, made| now.saturating_duration_since(*made) < CODE_LIFE);
        if codes.len() >= KEPT {
            let oldest = codes.iter().min_by_key(|(_, made)| **made).map(|(code, _)| code.clone());
            codes.retain(|code, _| Some(code) != oldest.as_ref());
        }
        codes.insert(code.clone(), now);
        code
    }

    /// Trades a code for a session's token.
    pub(crate) async fn trade(&self, code: &str) -> Option<Token> {
        let made = lock(&self.0.codes).remove(code)?;
        if Instant::now().saturating_duration_since(made) >= CODE_LIFE {
            return None;
        }
        Some(self.0.sessions.begin().await)
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// Whether it carries the instance's own token, rather than a session's.
    pub(crate) fn is_owner(&self, headers: &HeaderMap) -> bool {
        bearer(headers).is_some_and(|given| self.0.token.matches(given))
    }

    /// What the bearer of a request may do; `None` lets nobody in.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> Option<Scope> {
        let given = bearer(headers)?;
        if self.0.token.matches(given) || self.0.sessions.admits(given) {
            return Some(self.0.scope);
        }
        self.0.reader.as_ref().is_some_and(|reader| reader.matches(given)).then_some(Scope::Read)
    }

    /// Whether a `Host` is one of ours: a page of another name that resolves to this machine is not.
    pub(crate) fn is_ours(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if !name.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host.as_str(),
        };
        matches!(name, "127.0.0.1" | "localhost" | "[::1]") || self.0.hosts.contains(&host)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("hosts", &self.0.hosts)
            .field("scope", &self.0.scope)
            .finish_non_exhaustive()
    }
}

/// The token of a request. Two of them are none.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (one, None) = (all.next()?, all.next()) else { return None };
    let (scheme, token) = one.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
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

    fn of(token: &str) -> HeaderMap {
        [(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())].into_iter().collect()
    }

    #[tokio::test]
    async fn a_code_is_good_once() {
        let access = Access::token(Token::random());
        let code = access.one_time_code();
        let session = access.trade(&code).await.unwrap();
        assert!(access.trade(&code).await.is_none());
        assert_eq!(access.admits(&HeaderMap::new()), None);
        assert_eq!(access.admits(&of(session.expose())), Some(Scope::Full));
        assert_eq!(access.admits(&of(&code)), None);
        let mut twice = of(session.expose());
        twice.append(header::AUTHORIZATION, "Bearer x".parse().unwrap());
        assert_eq!(access.admits(&twice), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_grows_old_and_a_flood_of_codes_drops_the_oldest() {
        let access = Access::token(Token::random());
        let (old, crowded) = (access.one_time_code(), access.one_time_code());
        tokio::time::advance(CODE_LIFE).await;
        assert!(access.trade(&old).await.is_none());
        let fresh: Vec<_> = (0..=KEPT).map(|_| access.one_time_code()).collect();
        assert!(access.trade(&crowded).await.is_none());
        assert!(access.trade(fresh.last().unwrap()).await.is_some());
    }

    #[test]
    fn a_reader_looks_and_a_read_only_router_lets_nobody_do_more() {
        let (token, reader) = (Token::random(), Token::random());
        let access = Access::token(token.clone()).reader(reader.clone());
        assert_eq!(access.admits(&of(token.expose())), Some(Scope::Full));
        assert_eq!(access.admits(&of(reader.expose())), Some(Scope::Read));
        assert_eq!(access.read_only().admits(&of(token.expose())), Some(Scope::Read));
    }
}
