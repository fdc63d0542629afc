//! How long connections are kept for the next request.

use std::time::Duration;

/// Which connections of a client are kept for the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reuse {
    /// All, for 4 s: for a backend that is asked often.
    #[default]
    Long,
    /// One, for 100 ms: for a backend that is watched by other means than requests, which come in bursts. A kept
    /// connection takes 27 KiB.
    Brief,
    /// None, for work that may not run twice: a request on a connection that the server closed meanwhile is neither sent
    /// nor provably not sent. On a new one a dead server refuses, which is proof.
    Never,
}

impl Reuse {
    /// How many connections are kept, and how long.
    pub(super) fn kept(self) -> (usize, Duration) {
        // Closed before the server does it: uvicorn (Gradio, LiteLLM) closes an idle connection after 5.0 s, and a
        // request that meets the close is lost in a race.
        let before_the_server = Duration::from_secs(4);
        match self {
            Self::Long => (usize::MAX, before_the_server),
            Self::Brief => (1, Duration::from_millis(100)),
            Self::Never => (0, before_the_server),
        }
    }
}
