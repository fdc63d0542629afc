//! The book of servers that were found: kept over restarts, so that a backend keeps its name and its address.

use serde::Serialize;

use crate::{
    config::{Adopt, Config, Edits},
    discovery::Find,
    model::{BackendId, Kind, status::Source},
    net::Address,
    settings::place::Spot,
};

/// How a backend stands in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entered {
    /// It was found and adopted: the book is what brings it in.
    Adopted,
    /// A person configured it; its fingerprint is remembered, to know it again at another address.
    Seen,
}

/// One backend in the book, at the last address where it was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub(crate) id: BackendId,
    pub(crate) kind: Kind,
    pub(crate) url: Address,
    pub(crate) identity: String,
    pub(crate) title: Option<String>,
    pub(crate) entered: Entered,
}

/// Everything that was found and still counts, the oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Book(pub(crate) Vec<Known>);

impl Book {
    pub(crate) fn adopted(&self) -> impl Iterator<Item = &Known> {
        self.0.iter().filter(|known| known.entered == Entered::Adopted)
    }

    pub(crate) fn get(&self, id: &BackendId) -> Option<&Known> {
        self.0.iter().find(|known| known.id == *id)
    }

    /// This book, with what another has about other servers.
    pub(crate) fn with(mut self, other: Self) -> Self {
        for known in other.0 {
            let spot = Spot::of(&known.url);
            if self.0.iter().all(|mine| mine.id != known.id && Spot::of(&mine.url) != spot) {
                self.0.push(known);
            }
        }
        self
    }

    /// The layer of what was found, under a configuration of all other layers.
    ///
    /// Once adopted a backend stays, also when others are added through the API. It gives way to a file that says
    /// what there is, where finds are adopted only without one; to `adopt: never`; and to a configured backend that
    /// has its address or its name. One that somebody edited stays, or the edit would hang in the air.
    pub(crate) fn layer(&self, bare: &Config, edits: &Edits) -> Edits {
        let mut layer = Edits::default();
        let written = |source| matches!(source, Source::File | Source::Env);
        let silent = match bare.discovery.adopt {
            Adopt::Always => false,
            Adopt::Never => true,
            Adopt::WhenEmpty => bare.backends.values().any(|backend| written(backend.source)),
        };
        for known in self.adopted() {
            let spot = Spot::of(&known.url);
            let group = format!("backends.{}.", known.id);
            let edited = edits.paths().any(|path| path.starts_with(&group));
            let taken = bare
                .backends
                .values()
                .any(|backend| backend.id == known.id || (Spot::of(&backend.url) == spot && !edited));
            if !taken && (!silent || edited) {
                layer.found(&known.id, known.kind, &known.url);
            }
        }
        layer
    }
}

/// Why a find did not become a backend by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Why {
    /// `discovery.adopt` leaves it to a person.
    Policy,
    /// It looks like this backend, which does not answer at its configured address.
    MayBe(BackendId),
    /// It looks like more than one backend that does not answer, or is not the only one that looks like it.
    Ambiguous,
}

/// A find that a person may adopt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Proposal {
    /// What was found.
    pub find: Find,
    /// The name that it would get.
    pub id: BackendId,
    /// Why it did not become a backend by itself.
    pub why: Why,
}
