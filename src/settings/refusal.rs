//! Asks addresses whether anything listens there.

use std::{collections::HashSet, io::ErrorKind, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::net::TcpStream;

use crate::{model::BackendId, net::Address};

/// How long an address has to refuse; one that is silent does not refuse.
const LIMIT: Duration = Duration::from_secs(1);
/// Addresses that are asked at once.
const AT_ONCE: usize = 16;

/// Those of the backends whose addresses refuse a connection now.
pub(crate) async fn refusing(backends: Vec<(BackendId, Address)>) -> HashSet<BackendId> {
    stream::iter(backends)
        .map(|(id, address)| async move { refuses(&address).await.then_some(id) })
        .buffer_unordered(AT_ONCE)
        .filter_map(|id| async move { id })
        .collect()
        .await
}

async fn refuses(address: &Address) -> bool {
    let place = (address.bare_host(), address.port());
    let dialed = tokio::time::timeout(LIMIT, TcpStream::connect(place)).await;
    matches!(dialed, Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_without_a_listener_refuses_and_one_with_does_not() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = || vec![("a".parse().unwrap(), Address::loopback(port))];
        assert!(refusing(asked()).await.is_empty());
        drop(listener);
        assert_eq!(refusing(asked()).await.len(), 1);
    }
}
