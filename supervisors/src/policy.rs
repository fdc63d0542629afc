//! What follows a child's end: data, not callbacks.

use std::time::Duration;

use crate::Intensity;

/// Who is restarted when a child crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// The child alone. The default.
    #[default]
    OneForOne,
    /// All children.
    OneForAll,
    /// The child and those after it.
    RestForOne,
}

/// After which ends a child is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Restart {
    /// After every end. The default.
    #[default]
    Permanent,
    /// After an abnormal end.
    Transient,
    /// Never.
    Temporary,
}

/// What happens when a child crashes more often than is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnIntensity {
    /// The supervisor gives up: it stops its children and crashes itself. Crashes of such children count together.
    /// The default.
    #[default]
    Escalate,
    /// The child is set aside, and its siblings live on. It has an intensity of its own; it is tried again by itself
    /// after a wait that doubles, and at once when it is released.
    Quarantine {
        /// How many restarts are allowed.
        intensity: Intensity,
        /// The first wait; at least a second. `Duration::MAX`: only a release lets it out.
        trial: Duration,
        /// The longest wait; each relapse doubles the wait up to it.
        trial_cap: Duration,
    },
}

impl OnIntensity {
    /// Quarantine after 5 restarts in 30 s; tried again after 10 min, doubling to 6 h.
    pub const QUARANTINE: Self = Self::Quarantine {
        intensity: Intensity::new(5, Duration::from_secs(30)),
        trial: Duration::from_secs(600),
        trial_cap: Duration::from_secs(6 * 3600),
    };
}
