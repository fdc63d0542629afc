//! The settings of discovery.

use std::fmt;

use serde::Serialize;

/// Whether a server that was found becomes a backend by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Adopt {
    /// While no backend is configured.
    #[default]
    WhenEmpty,
    /// Always.
    Always,
    /// Never: it is proposed only.
    Never,
}

impl Adopt {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::WhenEmpty, Self::Always, Self::Never];

    /// The name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WhenEmpty => "when_empty",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

impl fmt::Display for Adopt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How backends are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DiscoveryConfig {
    /// What becomes of a find.
    pub adopt: Adopt,
}
