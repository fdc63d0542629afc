//! What is known of every backend. Pure: how the backends are now is passed in.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;

use super::{
    entry::{Entry, Register, rank},
    observed::Observed,
    wish::Capable,
};
use crate::model::{BackendId, BackendStatus, Fault, Signature};

/// What is known of every backend.
#[derive(Debug, Default)]
pub(crate) struct Index {
    known: HashMap<BackendId, Arc<Observed>>,
}

impl Index {
    /// Takes what was seen of a backend; what is older than what is known is left.
    pub(crate) fn put(&mut self, id: &BackendId, observed: &Arc<Observed>) {
        match self.known.get_mut(id) {
            Some(known) if known.epoch > observed.epoch => {}
            Some(known) => known.clone_from(observed),
            None => {
                self.known.insert(id.clone(), observed.clone());
            }
        }
    }

    /// Forgets a backend: there is another server in its place.
    pub(crate) fn forget(&mut self, id: &BackendId) {
        self.known.remove(id);
    }

    /// Forgets those who are gone.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&BackendId) -> bool) {
        self.known.retain(|id, _| wanted(id));
    }

    /// Everything.
    pub(crate) fn register(&self, backends: &[Arc<BackendStatus>]) -> Register {
        Register::of(self.entries(backends))
    }

    /// Who can do what is wished for.
    pub(crate) fn capable(
        &self,
        wish: &Capable,
        backends: &[Arc<BackendStatus>],
    ) -> Result<Vec<Entry>, Fault> {
        let wish = wish.check()?;
        let mut fit: Vec<_> = self.entries(backends).into_iter().filter(|entry| wish.fits(entry)).collect();
        rank(&mut fit);
        Ok(fit.into_iter().map(|entry| entry.only(wish.capability)).collect())
    }

    /// What the functions of a backend take.
    pub(crate) fn functions(&self, id: &BackendId) -> Vec<Signature> {
        let Some(known) = self.known.get(id) else { return Vec::new() };
        let identity = &known.identity;
        if !identity.signatures.is_empty() {
            return identity.signatures.clone();
        }
        let bare = |name: &String| Signature { name: name.clone(), inputs: Vec::new() };
        identity.functions.iter().map(bare).collect()
    }

    fn entries(&self, backends: &[Arc<BackendStatus>]) -> Vec<Entry> {
        let now = Timestamp::now();
        backends.iter().map(|status| Entry::new(status, self.known.get(&status.id), now)).collect()
    }
}

#[cfg(test)]
mod tests;
