//! What becomes of a sweep's finds: backends, proposals, or the new address of a backend that moved. Pure.

use std::collections::HashSet;

use crate::{
    config::{Adopt, BackendConfig, Config},
    discovery::Find,
    model::{BackendId, status::Source},
    net::Address,
    settings::{
        book::{Book, Entered, Known, Proposal, Why},
        name::Names,
        place::Spot,
    },
};

/// What is known when a sweep ends.
pub(crate) struct Situation<'a> {
    /// All layers without what was found.
    pub(crate) bare: &'a Config,
    /// All layers, as they run.
    pub(crate) running: &'a Config,
    /// Names that must not be given: of backends that a person took out.
    pub(crate) reserved: &'a [BackendId],
    /// Backends whose addresses refuse connections.
    pub(crate) refusing: &'a HashSet<BackendId>,
}

/// Something that is worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    Adopted {
        id: BackendId,
        at: Address,
    },
    Moved {
        id: BackendId,
        from: Address,
        to: Address,
    },
    /// A configured backend seems to have moved; it does not follow by itself.
    Offered {
        id: BackendId,
        from: Address,
        to: Address,
    },
}

/// What becomes of a sweep's finds.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Ruling {
    pub(crate) book: Book,
    pub(crate) proposals: Vec<Proposal>,
    pub(crate) news: Vec<News>,
}

/// Rules on the finds of one finished sweep.
///
/// A server that wants a key or a log-in is adopted like any other: nothing is sent to it, its backend parks with the
/// remedy, and a person who looks sees what is missing. A proposal would hide it.
pub(crate) fn rule(book: &Book, situation: &Situation<'_>, finds: &[Find]) -> Ruling {
    let mut session = Session::new(book, situation);
    session.unclaimed = different(finds);
    session.claim();
    session.follow();
    session.offer();
    session.adopt();
    Ruling { book: session.book, proposals: session.proposals, news: session.news }
}

/// The finds, each server once.
fn different(finds: &[Find]) -> Vec<Find> {
    let mut seen = HashSet::new();
    let same = |find: &&Find| seen.insert((Spot::of(&find.url), find.identity.clone()));
    finds.iter().filter(same).cloned().collect()
}

struct Session<'a> {
    situation: &'a Situation<'a>,
    book: Book,
    names: Names,
    unclaimed: Vec<Find>,
    /// Finds that must not become backends of their own.
    held: Vec<(Find, Why)>,
    proposals: Vec<Proposal>,
    news: Vec<News>,
}

impl<'a> Session<'a> {
    fn new(book: &Book, situation: &'a Situation<'a>) -> Self {
        let mut book = book.clone();
        // A name that a person uses by now is the person's.
        book.0.retain(|known| {
            known.entered == Entered::Seen || !situation.bare.backends.contains_key(&known.id)
        });
        let mut names = Names::default();
        let Config { backends, pools, .. } = situation.running;
        let ids = backends.keys().chain(pools.keys()).chain(situation.bare.backends.keys());
        ids.chain(situation.reserved)
            .chain(book.0.iter().map(|known| &known.id))
            .for_each(|id| names.take(id));
        let (unclaimed, held) = (Vec::new(), Vec::new());
        Self { situation, book, names, unclaimed, held, proposals: Vec::new(), news: Vec::new() }
    }

    /// Finds at the address of a backend are that backend, and no news. Its fingerprint is remembered.
    fn claim(&mut self) {
        for find in std::mem::take(&mut self.unclaimed) {
            let spot = Spot::of(&find.url);
            let configured = self.configured().find(|backend| Spot::of(&backend.url) == spot).cloned();
            if let Some(backend) = configured {
                self.remember(&backend, find);
            } else if let Some(known) = self.counted(&spot) {
                if known.kind == find.kind {
                    (known.identity, known.title) = (find.identity, find.title);
                }
            } else if self.situation.running.backends.values().all(|b| Spot::of(&b.url) != spot) {
                self.unclaimed.push(find);
            }
        }
    }

    /// The adopted backend at this place, running or taken out by a person.
    fn counted(&mut self, spot: &Spot) -> Option<&mut Known> {
        let Situation { running, reserved, .. } = self.situation;
        self.book.0.iter_mut().find(|known| {
            known.entered == Entered::Adopted
                && Spot::of(&known.url) == *spot
                && (running.backends.contains_key(&known.id) || reserved.contains(&known.id))
        })
    }

    /// Backends that a person configured.
    fn configured(&self) -> impl Iterator<Item = &'a BackendConfig> + use<'a> {
        self.situation.bare.backends.values().map(|backend| &**backend)
    }

    fn remember(&mut self, backend: &BackendConfig, find: Find) {
        self.book.0.retain(|known| known.id != backend.id);
        let Find { kind, url, identity, title, .. } = find;
        self.book.0.push(Known {
            id: backend.id.clone(),
            kind,
            url,
            identity,
            title,
            entered: Entered::Seen,
        });
    }

    /// An adopted backend whose address refuses is followed to the one unclaimed server with its fingerprint.
    fn follow(&mut self) {
        let missing: Vec<Known> =
            self.book.adopted().filter(|known| self.is_missing(known)).cloned().collect();
        for known in &missing {
            let lookalikes = missing.iter().filter(|other| same_print(other, known)).count();
            let fits: Vec<usize> = (0..self.unclaimed.len())
                .filter(|place| self.unclaimed[*place].identity == known.identity)
                .filter(|place| self.unclaimed[*place].kind == known.kind)
                .collect();
            match fits[..] {
                [] => {}
                [place] if lookalikes == 1 => {
                    let find = self.unclaimed.remove(place);
                    self.move_to(known, find);
                }
                _ => {
                    // Which is which cannot be told: none moves, and none is doubled.
                    for place in fits.into_iter().rev() {
                        self.held.push((self.unclaimed.remove(place), Why::Ambiguous));
                    }
                }
            }
        }
    }

    /// Its address refuses, and it is ours to move: nobody gave it another address, or took it out.
    fn is_missing(&self, known: &Known) -> bool {
        let running = self.situation.running.backends.get(&known.id);
        running.is_some_and(|backend| backend.source == Source::Discovered)
            && self.situation.refusing.contains(&known.id)
    }

    fn move_to(&mut self, known: &Known, find: Find) {
        self.news.push(News::Moved { id: known.id.clone(), from: known.url.clone(), to: find.url.clone() });
        if let Some(entry) = self.book.0.iter_mut().find(|entry| entry.id == known.id) {
            (entry.url, entry.title) = (find.url, find.title);
        }
    }

    /// A configured backend whose address refuses, and one unclaimed server that looks like it: a person decides.
    fn offer(&mut self) {
        let missing: Vec<_> =
            self.configured().filter(|backend| self.situation.refusing.contains(&backend.id)).collect();
        for backend in &missing {
            let seen = self.book.get(&backend.id).map(|known| known.identity.clone());
            let looks = |find: &Find| match &seen {
                Some(identity) => find.identity == *identity && find.kind == backend.kind,
                None => find.kind == backend.kind,
            };
            let fits: Vec<usize> =
                (0..self.unclaimed.len()).filter(|place| looks(&self.unclaimed[*place])).collect();
            let [place] = fits[..] else { continue };
            let to = self.unclaimed[place].url.clone();
            self.news.push(News::Offered { id: backend.id.clone(), from: backend.url.clone(), to });
            // The same fingerprint: it is not to become a second backend. Only the same kind: it may be another.
            if seen.is_some() {
                self.held.push((self.unclaimed.remove(place), Why::MayBe(backend.id.clone())));
            }
        }
    }

    fn adopt(&mut self) {
        let adopts = match self.situation.bare.discovery.adopt {
            Adopt::Always => true,
            Adopt::Never => false,
            Adopt::WhenEmpty => self.situation.bare.backends.is_empty(),
        };
        for find in std::mem::take(&mut self.unclaimed) {
            if !adopts {
                self.held.push((find, Why::Policy));
                continue;
            }
            let id = self.names.name(&find);
            self.news.push(News::Adopted { id: id.clone(), at: find.url.clone() });
            let Find { kind, url, identity, title, .. } = find;
            self.book.0.push(Known { id, kind, url, identity, title, entered: Entered::Adopted });
        }
        for (find, why) in std::mem::take(&mut self.held) {
            let id = self.names.name(&find);
            self.proposals.push(Proposal { find, id, why });
        }
    }
}

fn same_print(one: &Known, other: &Known) -> bool {
    one.identity == other.identity && one.kind == other.kind
}

#[cfg(test)]
mod tests;
