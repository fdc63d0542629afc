//! What is seen of the state database from outside.

use std::{path::PathBuf, sync::Arc};

use serde::Serialize;

use super::Trouble;

/// The condition of the state database.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "condition", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Condition {
    /// Writes are taken and kept.
    Open {
        /// How the database was found when it was opened last.
        opening: Arc<Opening>,
    },
    /// Nothing can be kept at present. Backline runs on without, and tries again by itself.
    Refusing {
        /// What is wrong, and what to do about it.
        cause: Trouble,
        /// Since when.
        since: jiff::Timestamp,
        /// When it is tried again.
        next_try: jiff::Timestamp,
    },
    /// Closed in an orderly way.
    Closed,
}

impl Condition {
    /// Writes are taken and kept.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

/// How the database was found when it was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Opening {
    /// The version of its schema before; 0 where it is new.
    pub from: u32,
    /// The version of its schema now.
    pub version: u32,
    /// What was saved of a damaged database.
    pub salvaged: Option<Salvaged>,
}

/// What was saved of a damaged database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Salvaged {
    /// What was wrong with it.
    pub damage: String,
    /// Where the damaged file lies now.
    pub aside: PathBuf,
    /// What became of each table.
    pub tables: Vec<SalvagedTable>,
}

/// What was saved of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SalvagedTable {
    /// Its name.
    pub table: String,
    /// Rows that were saved.
    pub kept: u64,
    /// Rows that were lost; none where the damage hides how many there were.
    pub lost: Option<u64>,
}
