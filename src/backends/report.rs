//! What a running attempt tells as it goes.

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::model::Progress;

/// One thing that a running attempt tells.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Report {
    /// The backend has it, under this id. From here on a doubt is a doubt.
    Accepted {
        /// The backend's id for it.
        remote: String,
    },
    /// It waits in the backend's queue; 0 is next.
    Waiting {
        /// How many are before it, where the backend says.
        position: Option<u64>,
    },
    /// The backend began to work on it.
    Started,
    /// How far it is; the latest wins.
    Progress(Progress),
    /// Text to append to what came before; never dropped.
    Delta(String),
    /// A picture of work in progress; the latest wins. The bytes are as the backend sent them.
    Preview(Bytes),
    /// An output's current value (a Gradio generator's yield, as JSON); the latest wins.
    Partial(String),
    /// A line for a person (a Gradio info, ComfyUI's "all nodes cached").
    Note(String),
}

/// Where reports go. It takes them at once and never waits, so that no reader holds up a socket.
pub trait Sink: Send + Sync {
    /// Takes one report.
    fn report(&self, report: Report);

    /// Something is about to be opened that can be opened once (the stream of a Gradio call). It waits until that is
    /// written down, so that whoever takes the work up later knows it; it may wait for as long as the disk fails.
    /// Default: nothing is written down.
    ///
    /// # Cancel safety
    /// Safe.
    fn opening(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Throws reports away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

impl Sink for Nowhere {
    fn report(&self, _report: Report) {}
}
