//! Which session goes on with whose state.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::pool::Life;

/// Keys that are remembered; then those of former sessions are forgotten, and then all.
const MOST: usize = 4096;

/// Which session goes on with whose state, by the asker's key. Only who asks for it takes the lock.
#[derive(Debug, Default)]
pub(crate) struct Ties(Mutex<HashMap<Arc<str>, Life>>);

impl Ties {
    pub(crate) fn of(&self, key: &str) -> Option<Life> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Remembers a session; `lives` tells which of the others still do.
    pub(crate) fn tie(&self, key: &Arc<str>, to: Life, lives: impl Fn(&Life) -> bool) {
        let mut ties = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ties.len() >= MOST {
            ties.retain(|_, life| lives(life));
        }
        if ties.len() >= MOST {
            ties.clear();
        }
        ties.insert(key.clone(), to);
    }
}
