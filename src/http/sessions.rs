//! The sessions of the page: each by the hash of its token, kept over a restart where there is a state database.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use super::token::{Print, Token, print};
use crate::{net::body::hex, state::Store};

/// How long a session is good, from its beginning.
const LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Sessions that are kept; the oldest go first.
const MOST: usize = 64;

/// One session, as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Session {
    /// Its name, which opens nothing.
    pub(crate) id: String,
    /// When it began.
    pub(crate) made_at: Timestamp,
    /// When it ends.
    pub(crate) ends_at: Timestamp,
    /// Whether it is the one that asks.
    pub(crate) current: bool,
}

/// A session: the hash of its token, and its beginning in milliseconds of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    print: Print,
    made_ms: i64,
}

impl Row {
    fn id(&self) -> String {
        hex(&self.print[..8])
    }

    fn ends_ms(&self) -> i64 {
        self.made_ms.saturating_add(i64::try_from(LIFE.as_millis()).unwrap_or(i64::MAX))
    }

    /// A clock that was set back ends none.
    fn is_over(&self, now_ms: i64) -> bool {
        now_ms >= self.ends_ms()
    }
}

/// All sessions, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    rows: Mutex<Vec<Row>>,
    store: Mutex<Option<Store>>,
}

impl Sessions {
    /// Goes on with what an earlier run kept, and keeps from now on what is begun and ended.
    pub(crate) async fn keep_in(&self, store: Store) {
        match table::read(&store).await {
            Ok(rows) => {
                let now = Timestamp::now().as_millisecond();
                lock(&self.rows).extend(rows.into_iter().filter(|row| !row.is_over(now)));
            }
            Err(trouble) => tracing::warn!(%trouble, "the page's sessions of earlier runs are not known"),
        }
        *lock(&self.store) = Some(store);
    }

    /// Begins one; its token is given out once.
    pub(crate) async fn begin(&self) -> Token {
        let token = Token::random();
        let now = Timestamp::now().as_millisecond();
        {
            let mut rows = lock(&self.rows);
            rows.retain(|row| !row.is_over(now));
            if rows.len() == MOST {
                rows.remove(0);
            }
            rows.push(Row { print: print(token.expose()), made_ms: now });
        }
        self.write().await;
        token
    }

    /// Whether a token is that of a session.
    pub(crate) fn admits(&self, token: &str) -> bool {
        let (given, now) = (print(token), Timestamp::now().as_millisecond());
        lock(&self.rows).iter().any(|row| bool::from(row.print.ct_eq(&given)) && !row.is_over(now))
    }

    /// All of them; `token` is that of the one that asks.
    pub(crate) fn list(&self, token: &str) -> Vec<Session> {
        let (given, now) = (print(token), Timestamp::now().as_millisecond());
        let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
        let shown = |row: &Row| Session {
            id: row.id(),
            made_at: at(row.made_ms),
            ends_at: at(row.ends_ms()),
            current: row.print.ct_eq(&given).into(),
        };
        lock(&self.rows).iter().filter(|row| !row.is_over(now)).map(shown).collect()
    }

    /// Ends the one with this token; false where there is none.
    pub(crate) async fn end(&self, token: &str) -> bool {
        let given = print(token);
        self.end_where(|row| row.print == given).await
    }

    /// Ends the one with this name; false where there is none.
    pub(crate) async fn revoke(&self, id: &str) -> bool {
        self.end_where(|row| row.id() == id).await
    }

    async fn end_where(&self, goes: impl Fn(&Row) -> bool) -> bool {
        let ended = {
            let mut rows = lock(&self.rows);
            let before = rows.len();
            rows.retain(|row| !goes(row));
            rows.len() < before
        };
        if ended {
            self.write().await;
        }
        ended
    }

    /// A session that cannot be kept is good until the process ends.
    async fn write(&self) {
        let Some(store) = lock(&self.store).clone() else { return };
        let rows = lock(&self.rows).clone();
        if let Err(trouble) = table::write(&store, rows).await {
            tracing::warn!(%trouble, "the page's sessions could not be kept over a restart");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(feature = "state")]
mod table {
    use rusqlite::{Connection, Transaction};

    use super::Row;
    use crate::state::{Store, Trouble};

    pub(super) async fn read(store: &Store) -> Result<Vec<Row>, Trouble> {
        store
            .read("the sessions", |on: &Connection| {
                let mut rows = on.prepare("SELECT print, made_ms FROM sessions ORDER BY made_ms")?;
                rows.query_map((), |row| Ok(Row { print: row.get(0)?, made_ms: row.get(1)? }))?.collect()
            })
            .await
    }

    pub(super) async fn write(store: &Store, rows: Vec<Row>) -> Result<(), Trouble> {
        store
            .write("the sessions", move |on: &Transaction<'_>| {
                on.execute("DELETE FROM sessions", ())?;
                let mut insert = on.prepare("INSERT INTO sessions (print, made_ms) VALUES (?1, ?2)")?;
                for row in &rows {
                    insert.execute((&row.print[..], row.made_ms))?;
                }
                Ok(())
            })
            .await
    }
}

#[cfg(not(feature = "state"))]
mod table {
    use super::Row;
    use crate::state::{Store, Trouble};

    #[expect(clippy::unused_async, reason = "the other build waits for its store")]
    pub(super) async fn read(store: &Store) -> Result<Vec<Row>, Trouble> {
        match *store {}
    }

    #[expect(clippy::unused_async, reason = "the other build waits for its store")]
    pub(super) async fn write(store: &Store, _: Vec<Row>) -> Result<(), Trouble> {
        match *store {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_ends_by_its_owner_by_its_name_and_after_thirty_days() {
        let sessions = Sessions::default();
        let (a, b) = (sessions.begin().await, sessions.begin().await);
        assert!(sessions.admits(a.expose()) && sessions.admits(b.expose()) && !sessions.admits("x"));
        assert!(!format!("{sessions:?}").contains(a.expose()));
        let shown = sessions.list(a.expose());
        assert_eq!(shown.iter().map(|s| s.current).collect::<Vec<_>>(), [true, false]);
        assert!(sessions.end(a.expose()).await && !sessions.admits(a.expose()));
        assert!(sessions.revoke(&shown[1].id).await && !sessions.admits(b.expose()));
        assert!(!sessions.revoke(&shown[1].id).await && !sessions.end(a.expose()).await);
        let old = sessions.begin().await;
        lock(&sessions.rows)[0].made_ms -= i64::try_from(LIFE.as_millis()).unwrap();
        assert!(!sessions.admits(old.expose()) && sessions.list("").is_empty());
    }

    #[tokio::test]
    async fn no_more_than_so_many_are_kept() {
        let sessions = Sessions::default();
        let first = sessions.begin().await;
        for _ in 0..MOST {
            sessions.begin().await;
        }
        assert!(!sessions.admits(first.expose()));
        assert_eq!(sessions.list("").len(), MOST);
    }

    #[cfg(feature = "state")]
    #[tokio::test]
    async fn a_session_outlives_its_process_and_an_ended_one_stays_ended() {
        let store = Store::in_memory().await.unwrap();
        let _serving = store.serve();
        let first = Sessions::default();
        first.keep_in(store.clone()).await;
        let (stays, goes) = (first.begin().await, first.begin().await);
        first.end(goes.expose()).await;
        let second = Sessions::default();
        second.keep_in(store).await;
        assert!(second.admits(stays.expose()) && !second.admits(goes.expose()));
    }
}
