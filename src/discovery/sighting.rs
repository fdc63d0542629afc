//! What an answer showed of a server, before it is known under which address it is told.

use crate::{
    discovery::{Find, Need},
    model::{Kind, fault::clean},
    net::Address,
};

/// What was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) kind: Kind,
    pub(crate) version: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) identity: String,
    pub(crate) needs: Option<Need>,
    /// What the server drew at its start: proof that two addresses lead to one process.
    pub(crate) boot: Option<String>,
}

impl Sighting {
    pub(crate) fn new(kind: Kind, identity: String) -> Self {
        Self { kind, version: None, title: None, identity, needs: None, boot: None }
    }

    pub(crate) fn title(mut self, title: Option<&str>) -> Self {
        self.title = title.map(|title| clean(title, 80)).filter(|title| !title.is_empty());
        self
    }

    pub(crate) fn version(mut self, version: Option<&str>) -> Self {
        self.version = version.map(|version| clean(version, 40)).filter(|version| !version.is_empty());
        self
    }

    pub(crate) fn needs(mut self, needs: Option<Need>) -> Self {
        self.needs = needs;
        self
    }

    pub(crate) fn at(self, url: Address) -> Find {
        Find {
            kind: self.kind,
            url,
            version: self.version,
            title: self.title,
            identity: self.identity,
            needs: self.needs,
        }
    }

    /// Whether two sightings on the same port are one server that listens on both addresses. Where neither shows what
    /// it drew at its start, the same identity counts: two twins that share a port would be a strange arrangement.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.kind == other.kind && self.identity == other.identity && self.boot == other.boot
    }
}
