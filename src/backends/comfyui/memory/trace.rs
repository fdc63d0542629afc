//! What is known of one job that was sent, and of the end of a session under it.

use tokio::time::Instant;

use crate::backends::{RemoteFile, comfyui::watch::Ending};

#[derive(Debug)]
pub(super) struct Job {
    /// The id of the socket that its events go to.
    pub(super) client: String,
    pub(super) arrival: Arrival,
    /// Deaths of the server before this job was sent.
    pub(super) deaths: u64,
    pub(super) watched: Watched,
    /// How it ended by its events, where history was not read before the session was over.
    pub(super) heard: Option<(Ending, Vec<RemoteFile>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    Doubtful,
    Certain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watched {
    /// It is under watch, or was left for another reason than the end of the socket.
    No,
    /// Up to the end of the socket, and it was not over.
    ToTheEnd,
    /// Up to the death of the server, and it was not over.
    ToTheDeath,
}

/// What the end of the last socket meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It has not ended, or we ended it.
    No,
    /// By the server's doing, or the line's; the next dial says which.
    Fell(Instant),
    /// The server died with it.
    Death,
    /// Nobody can say.
    Unclear,
}
