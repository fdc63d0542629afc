//! What is asked of a pool: how urgent it is, and what the backend has to be.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::model::{BackendId, Epoch, Kind, Work};

/// What is asked of a pool beside a session with a free slot.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Ask {
    /// Who waits goes by this, the highest first, then by age. Default 0.
    pub priority: i32,
    /// The kinds of backend that will do. Default all.
    pub kinds: Kinds,
    /// The model that is wanted: a backend that has it loaded is preferred to one that offers it, and that to the rest.
    pub model: Option<Arc<str>>,
    /// Asks with the same key get the same backend, as long as it keeps its session: a Gradio app remembers what its
    /// `session_hash` did, and another one does not.
    pub sticky: Option<Arc<str>>,
    /// The session that is passed over where another one will do: it has just failed.
    pub(crate) avoid: Option<Life>,
    pub(crate) purpose: Purpose,
    pub(crate) since: Option<Since>,
}

/// One session. An epoch alone is its backend's.
pub(crate) type Life = (BackendId, Epoch);

/// Since when something waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Since {
    /// A time of this process.
    pub(crate) at: Instant,
    /// How long it had waited by then.
    pub(crate) before: Duration,
    /// Tells those of the same age apart.
    pub(crate) number: i64,
}

/// What a lease is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Purpose {
    /// Something new.
    #[default]
    New,
    /// Going on with what is under way there: a cordon does not keep it out.
    TakeUp,
}

impl Ask {
    /// Anything will do.
    pub fn new() -> Self {
        Self::default()
    }

    /// How urgent it is.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Which kinds will do.
    #[must_use]
    pub fn kinds(mut self, kinds: Kinds) -> Self {
        self.kinds = kinds;
        self
    }

    /// Which model is wanted.
    #[must_use]
    pub fn model(mut self, model: impl Into<Arc<str>>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Whose state it goes on with.
    #[must_use]
    pub fn sticky(mut self, key: impl Into<Arc<str>>) -> Self {
        self.sticky = Some(key.into());
        self
    }
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds(u8);

impl Default for Kinds {
    fn default() -> Self {
        Self::of(&Kind::ALL)
    }
}

impl Kinds {
    /// These.
    pub const fn of(kinds: &[Kind]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < kinds.len() {
            bits |= 1 << kinds[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    /// Those that can do a piece of work.
    pub const fn for_work(work: &Work) -> Self {
        match work {
            Work::Workflow(_) => Self::of(&[Kind::Comfyui]),
            Work::Call { .. } => Self::of(&[Kind::Gradio, Kind::Wan2gp]),
            Work::Generate(_) => Self::of(&[Kind::Wan2gp]),
            Work::Chat(_) | Work::Embed(_) | Work::Image(_) | Work::Transcribe(_) => {
                Self::of(&[Kind::Litellm, Kind::Openai])
            }
        }
    }

    /// Whether a kind is one of them.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

impl std::fmt::Display for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = Kind::ALL.into_iter().filter(|kind| self.has(*kind)).map(Kind::title).collect();
        f.write_str(&names.join(" or "))
    }
}
