//! One execution of a job, as the journal knows it.

use serde::{Deserialize, Serialize};

use crate::{
    backends::Abilities,
    model::{BackendId, Kind},
};

/// One execution of a job: where it was sent, under which id of ours, and how far we saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Our own id for it, chosen before anything is sent.
    pub remote: String,
    /// The backend's own name for it, where it has one: WanGP's `job_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// The backend.
    pub backend: BackendId,
    /// Its kind when it was sent.
    pub kind: Kind,
    /// Scheme, host and port that it was sent to: what another one knows proves nothing.
    pub origin: String,
    /// The backend's name for its own start, where it has one (Gradio's `app_id`).
    #[serde(default)]
    pub boot: Option<String>,
    /// What the kind can do.
    pub abilities: Abilities,
    /// Whether we saw all of it.
    #[serde(default)]
    pub watch: Watch,
    /// What was done that can be done once.
    #[serde(default)]
    pub mark: Mark,
}

/// Whether we saw all of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// Since it was sent, without a gap that the kind does not know of.
    #[default]
    Whole,
    /// Our own process was away for a while.
    Gap,
    /// It was away, and has seen the execution under way since, from then on without a gap: what counts is that we
    /// watched up to the end.
    Again,
}

/// What was done with an execution that can be done only once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Nothing: it can be looked up.
    #[default]
    None,
    /// Its stream is being opened, which Gradio allows once.
    Opening,
    /// The first byte of its answer came: a chat is not asked again after it.
    Spoken,
}

impl Watch {
    /// After the execution was seen under way.
    pub(super) fn after_a_look(self) -> Self {
        if self == Self::Gap { Self::Again } else { self }
    }
}

impl Run {
    /// The id under which it is looked up. What a session remembers of ours ends with our process.
    pub fn look_up(&self) -> &str {
        match (&self.named, self.watch) {
            (Some(named), Watch::Gap | Watch::Again) => named,
            _ => &self.remote,
        }
    }

    /// Whether we watched it without a gap from the last time that it was seen under way.
    pub fn is_watched(&self) -> bool {
        self.watch != Watch::Gap
    }

    /// Whether it ends with our connection, and nobody can say afterwards how.
    pub fn dies_with_us(&self) -> bool {
        !self.abilities.survives_disconnect && (!self.abilities.can_look_up || self.mark >= Mark::Opening)
    }

    /// Whether it can be taken up again after the connection, or we ourselves, were gone.
    pub fn can_follow(&self) -> bool {
        self.abilities.can_look_up || self.abilities.survives_disconnect
    }
}
