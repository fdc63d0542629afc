//! One copy of what many backends say alike: a thousand servers of one image cost the memory of one list of nodes.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::model::Identity;

/// The identities that somebody holds.
#[derive(Debug, Default)]
pub(crate) struct Stock(Mutex<Vec<Weak<Identity>>>);

impl Stock {
    /// The identity that says the same and is held already, else this one.
    pub(crate) fn one(&self, identity: Identity) -> Arc<Identity> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|known| known.strong_count() > 0);
        if let Some(known) = held.iter().filter_map(Weak::upgrade).find(|known| **known == identity) {
            return known;
        }
        let fresh = Arc::new(identity);
        held.push(Arc::downgrade(&fresh));
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_alike_is_kept_once_and_what_nobody_holds_is_let_go() {
        let stock = Stock::default();
        let titled = |title: &str| Identity { title: Some(title.to_owned()), ..Identity::default() };
        let (one, same, other) = (stock.one(titled("a")), stock.one(titled("a")), stock.one(titled("b")));
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
        drop((one, same));
        let held = stock.one(titled("c"));
        assert_eq!(stock.0.lock().unwrap().len(), 2);
        drop((held, other));
    }
}
