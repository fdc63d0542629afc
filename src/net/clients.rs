//! HTTP clients that backends share.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use reqwest::Client;

use crate::{model::Fault, net::Reuse};

/// HTTP clients that backends share: one takes 2 KiB, and what tells most backends apart (address, key, headers) goes
/// with each request. Connections are kept by address. Cheap to clone; a clone shares the same clients, and each ends
/// with the last backend that has it, its idle connections included.
#[derive(Clone, Default)]
pub struct Clients(Arc<Mutex<Known>>);

/// By the longest wait for a connection, and by what is kept.
type Known = HashMap<(Duration, Reuse), Weak<Client>>;

impl Clients {
    /// The client with this longest wait for a connection and this reuse, made where there is none.
    pub(super) fn one(
        &self,
        connect: Duration,
        reuse: Reuse,
        make: impl FnOnce() -> Result<Client, Fault>,
    ) -> Result<Arc<Client>, Fault> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.get(&(connect, reuse)).and_then(Weak::upgrade) {
            return Ok(client);
        }
        let client = Arc::new(make()?);
        known.insert((connect, reuse), Arc::downgrade(&client));
        Ok(client)
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clients")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_of_the_same_settings_are_one_until_the_last_user_goes() {
        let (clients, second) = (Clients::default(), Duration::from_secs(1));
        let made = || crate::net::http::client(second);
        let one = clients.one(second, Reuse::Long, made).unwrap();
        let never = || panic!("there is one");
        assert!(Arc::ptr_eq(&one, &clients.clone().one(second, Reuse::Long, never).unwrap()));
        assert!(!Arc::ptr_eq(&one, &clients.one(second, Reuse::Never, made).unwrap()));
        assert!(!Arc::ptr_eq(&one, &clients.one(2 * second, Reuse::Long, made).unwrap()));
        assert!(!Arc::ptr_eq(&one, &Clients::default().one(second, Reuse::Long, made).unwrap()));
        let gone = Arc::downgrade(&one);
        drop(one);
        assert!(gone.upgrade().is_none(), "nobody has it, and it is kept");
        assert!(clients.one(second, Reuse::Long, made).is_ok());
    }
}
