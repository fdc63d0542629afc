//! Tickets: a way to one file for what cannot send the token, a player or a download of the browser's own.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::Uri;
use tokio::time::Instant;

use super::token::{Print, Token, print};

/// How long a ticket is good.
const LIFE: Duration = Duration::from_secs(60);
/// Tickets that are kept; the oldest go first.
const MOST: usize = 256;
/// What stands before it in an address.
const MARK: &str = "ticket=";

/// Tickets that were given out: each for one path, by the hash of its secret.
#[derive(Debug, Default)]
pub(crate) struct Tickets(Mutex<HashMap<Print, (String, Instant)>>);

impl Tickets {
    /// An address of this path that needs no token, good for a minute.
    pub(crate) fn give(&self, path: &str) -> String {
        let (secret, now) = (Token::random(), Instant::now());
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|_, (_, made)| now.saturating_duration_since(*made) < LIFE);
        if given.len() >= MOST
            && let Some(oldest) = given.iter().min_by_key(|(_, (_, made))| *made).map(|(print, _)| *print)
        {
            given.remove(&oldest);
        }
        given.insert(print(secret.expose()), (path.to_owned(), now));
        format!("{path}?{MARK}{}", secret.expose())
    }

    /// Whether the address carries a ticket that is good for its path.
    pub(crate) fn admit(&self, asked: &Uri) -> bool {
        let Some(secret) = asked.query().and_then(|query| query.strip_prefix(MARK)) else { return false };
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.get(&print(secret)).is_some_and(|(path, made)| {
            path == asked.path() && Instant::now().saturating_duration_since(*made) < LIFE
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_opens_one_path_for_a_minute() {
        let tickets = Tickets::default();
        let way = tickets.give("/api/v1/jobs/x/outputs/a.mp4");
        assert!(tickets.admit(&uri(&way)));
        assert!(tickets.admit(&uri(&way)), "a player asks for one part after the other");
        assert!(!tickets.admit(&uri(&way.replace("a.mp4", "b.mp4"))));
        assert!(!tickets.admit(&uri("/api/v1/jobs/x/outputs/a.mp4")));
        assert!(!tickets.admit(&uri("/api/v1/jobs/x/outputs/a.mp4?ticket=")));
        tokio::time::advance(LIFE).await;
        assert!(!tickets.admit(&uri(&way)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_tickets_drops_the_oldest() {
        let tickets = Tickets::default();
        let first = tickets.give("/a");
        tokio::time::advance(Duration::from_millis(1)).await;
        let last = (0..MOST).map(|_| tickets.give("/a")).last().unwrap();
        assert!(!tickets.admit(&uri(&first)));
        assert!(tickets.admit(&uri(&last)));
    }
}
