//! What of the settings survives the process: edits and the book, where there is a store.

use crate::{
    config::Edits,
    error::Error,
    settings::{book::Book, standing::Settings},
    state::Store,
};

/// What was kept over a restart.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Kept {
    pub(crate) edits: Edits,
    pub(crate) book: Book,
}

impl Kept {
    /// What was kept in a state directory, read beside its owner.
    #[cfg(feature = "cli")]
    pub(crate) fn peek(directory: &std::path::Path) -> Result<Self, crate::state::Trouble> {
        let looked = crate::state::peek::peek(directory, "the settings", |on| {
            // A schema of before has no settings.
            if on.table_exists(None, "edits")? { Self::read(on) } else { Ok(Self::default()) }
        });
        looked.map(Option::unwrap_or_default)
    }

    #[cfg(feature = "state")]
    fn read(on: &rusqlite::Connection) -> rusqlite::Result<Self> {
        use crate::settings::table;
        Ok(Self { edits: table::edits(on)?, book: table::book(on)? })
    }
}

/// Where the settings are kept; nowhere without a store.
pub(crate) struct Shelf(Option<Store>);

impl Shelf {
    pub(crate) fn new(store: Option<Store>) -> Self {
        Self(store)
    }
}

#[cfg(feature = "state")]
impl Shelf {
    /// What was kept.
    pub(crate) async fn take(&self) -> Result<Kept, Error> {
        let Some(store) = &self.0 else { return Ok(Kept::default()) };
        Ok(store.read("the settings", Kept::read).await?)
    }

    /// Keeps edits and book: on the disk once it is Ok.
    pub(crate) async fn keep(&self, settings: &Settings) -> Result<(), Error> {
        use crate::settings::table;
        let Some(store) = &self.0 else { return Ok(()) };
        let (edits, book) = (settings.edits.clone(), settings.book.clone());
        let write = move |on: &rusqlite::Transaction<'_>| {
            table::put_edits(on, &edits)?;
            table::put_book(on, &book)
        };
        Ok(store.write("the settings", write).await?)
    }

    /// Waits until the store can be used.
    pub(crate) async fn open(&self) {
        let Some(store) = &self.0 else { return };
        // A store that ended does not open any more.
        let _ = store.watch().wait_for(crate::state::Condition::is_open).await;
    }
}

#[cfg(not(feature = "state"))]
#[expect(clippy::unused_async, reason = "the other build waits for its store")]
impl Shelf {
    pub(crate) async fn take(&self) -> Result<Kept, Error> {
        Ok(Kept::default())
    }

    pub(crate) async fn keep(&self, _: &Settings) -> Result<(), Error> {
        match self.0 {
            None => Ok(()),
            Some(ref store) => match *store {},
        }
    }

    pub(crate) async fn open(&self) {}
}
