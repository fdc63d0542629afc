//! What the caller of a job agreed to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// When a job may be sent a second time by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rerun {
    /// Never after a doubt. What a backend refused outright, before it ran, is still offered again.
    Never,
    /// Only what provably never arrived, or what ran in a process that provably died before the end.
    #[default]
    IfProvenAbsent,
    /// Whatever happens: it may run more than once.
    Always,
}

/// What is kept of a job after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// All of it.
    #[default]
    All,
    /// Its state and the hash of its request.
    Verdict,
}

/// Whether the files that a job leaves at its backend are brought here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Files {
    /// They stay where they are.
    #[default]
    Leave,
    /// They are fetched before the job is done.
    Fetch,
}

/// What the caller of a job agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// When it may be sent a second time.
    #[serde(default)]
    pub rerun: Rerun,
    /// How long it may wait for a backend, from acceptance on. Default: without limit.
    #[serde(default)]
    pub ttl: Option<Duration>,
    /// How long it may take in all, from acceptance on. Default: without limit.
    #[serde(default)]
    pub deadline: Option<Duration>,
    /// Higher goes first. Default 0.
    #[serde(default)]
    pub priority: i32,
    /// What is kept after its end.
    #[serde(default)]
    pub keep: Keep,
    /// Whether its files are fetched.
    #[serde(default)]
    pub files: Files,
    /// After how many deaths of its backend under it it is held; `None` never. Default 2.
    #[serde(default = "two")]
    pub hold_after: Option<u32>,
}

fn two() -> Option<u32> {
    Some(2)
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            rerun: Rerun::default(),
            ttl: None,
            deadline: None,
            priority: 0,
            keep: Keep::default(),
            files: Files::default(),
            hold_after: two(),
        }
    }
}
