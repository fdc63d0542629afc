//! Pictures that came inside an answer, until they are fetched: the protocol has no second look at an answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use indexmap::IndexMap;

/// The most bytes that wait to be fetched; the oldest go first.
const BYTES: usize = 256 * 1024 * 1024;
/// The most pictures that wait.
const COUNT: usize = 1_024;

/// Pictures that wait to be fetched, by a name of ours. It outlives a session: a fetch may come on the next one.
#[derive(Debug, Clone, Default)]
pub(super) struct Stash(Arc<Mutex<Shelf>>);

#[derive(Debug, Default)]
struct Shelf {
    kept: IndexMap<String, Bytes>,
    bytes: usize,
}

impl Stash {
    /// Keeps a picture, and tells its name.
    pub(super) fn put(&self, bytes: Bytes) -> String {
        let name = uuid::Uuid::new_v4().simple().to_string();
        let mut shelf = self.lock();
        shelf.bytes += bytes.len();
        shelf.kept.insert(name.clone(), bytes);
        while shelf.kept.len() > 1 && (shelf.bytes > BYTES || shelf.kept.len() > COUNT) {
            if let Some((_, gone)) = shelf.kept.shift_remove_index(0) {
                shelf.bytes -= gone.len();
            }
        }
        name
    }

    /// A picture, while it is here.
    pub(super) fn get(&self, name: &str) -> Option<Bytes> {
        self.lock().kept.get(name).cloned()
    }

    /// Lets a picture go that was fetched whole.
    pub(super) fn drop(&self, name: &str) {
        let mut shelf = self.lock();
        if let Some(gone) = shelf.kept.shift_remove(name) {
            shelf.bytes -= gone.len();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_fits_and_lets_the_oldest_go() {
        let stash = Stash::default();
        let first = stash.put(Bytes::from_static(b"first"));
        let names: Vec<_> = (0..COUNT).map(|_| stash.put(Bytes::from_static(b"x"))).collect();
        assert_eq!(stash.get(&first), None, "the oldest goes");
        assert!(stash.get(&names[0]).is_some());
        names.iter().for_each(|name| stash.drop(name));
        assert_eq!(stash.lock().bytes, 0);
        assert!(stash.lock().kept.is_empty());
        let large = stash.put(Bytes::from(vec![0; BYTES + 1]));
        assert!(stash.get(&large).is_some(), "the newest is always kept");
    }
}
