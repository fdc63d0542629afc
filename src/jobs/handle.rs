//! A caller's view of its job.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::watch;

use crate::{
    jobs::board::Board,
    model::{JobId, JobStatus, Progress},
};

/// A caller's view of its job: it survives reconnects, and dropping it does not end the job.
#[derive(Clone)]
pub struct JobHandle {
    board: Arc<Board>,
}

impl JobHandle {
    pub(crate) fn new(board: Arc<Board>) -> Self {
        Self { board }
    }

    /// Its id.
    pub fn id(&self) -> JobId {
        self.board.id()
    }

    /// All that is known of it now.
    pub fn status(&self) -> Arc<JobStatus> {
        self.board.status()
    }

    /// All that is known of it, as a cell: the latest wins.
    pub fn watch(&self) -> watch::Receiver<Arc<JobStatus>> {
        self.board.watch()
    }

    /// Its progress, the latest at each look, until it ends.
    pub fn progress(&self) -> impl Stream<Item = Progress> + Send + Unpin + use<> {
        type Reader = (Arc<Board>, watch::Receiver<Arc<JobStatus>>, Option<Progress>);
        let reader: Reader = (self.board.clone(), self.board.watch(), None);
        let next = |(board, mut cell, mut last): Reader| async move {
            loop {
                let (now, ended) = {
                    let status = cell.borrow_and_update();
                    (status.progress.clone(), status.state.is_end())
                };
                if now != last
                    && let Some(progress) = now.clone()
                {
                    last = now;
                    return Some((progress, (board, cell, last)));
                }
                if ended {
                    return None;
                }
                tokio::select! {
                    changed = cell.changed() => changed.ok()?,
                    () = board.left.cancelled() => return None,
                }
            }
        };
        // Fused: a caller's `select!` polls it again after its end.
        Box::pin(stream::unfold(reader, next).fuse())
    }

    /// Its text as it comes, none of it dropped, until it ends.
    pub fn deltas(&self) -> impl Stream<Item = String> + Send + Unpin + use<> {
        let state = (self.board.clone(), self.board.length(), self.board.watch(), 0);
        let next = |(board, mut length, mut latest, offset): (
            Arc<Board>,
            watch::Receiver<usize>,
            _,
            usize,
        )| async move {
            loop {
                // The end first: text that came before it is read after this look.
                let ended = watch::Receiver::<Arc<JobStatus>>::borrow_and_update(&mut latest).state.is_end();
                let now = *length.borrow_and_update();
                if now > offset {
                    let text = board.text_from(offset);
                    let offset = offset + text.len();
                    return Some((text, (board, length, latest, offset)));
                }
                if ended {
                    return None;
                }
                tokio::select! {
                    changed = length.changed() => changed.ok()?,
                    changed = latest.changed() => changed.ok()?,
                    () = board.left.cancelled() => return None,
                }
            }
        };
        Box::pin(stream::unfold(state, next).fuse())
    }

    /// The latest picture of work in progress.
    pub fn preview(&self) -> watch::Receiver<Option<Bytes>> {
        self.board.preview()
    }

    /// Its text from this byte on.
    #[cfg(feature = "dashboard")]
    pub(crate) fn text_from(&self, offset: usize) -> String {
        self.board.text_from(offset)
    }

    /// How long its text is, as it grows.
    #[cfg(feature = "dashboard")]
    pub(crate) fn length(&self) -> watch::Receiver<usize> {
        self.board.length()
    }

    /// Returns once nobody works on it any more in this process.
    #[cfg(feature = "dashboard")]
    pub(crate) async fn left(&self) {
        self.board.left.cancelled().await;
    }

    /// Asks for its end. The job says so itself when it has ended.
    pub fn cancel(&self) {
        self.board.cancelled().cancel();
    }

    /// Waits for its end and tells all that is known then; its `state` says how it ended. Where the supervisor ends
    /// first, a job that is on the disk has no end yet, and its state says where it stands: the next start goes on.
    ///
    /// # Cancel safety
    /// Safe: the job goes on.
    pub async fn outcome(&self) -> Arc<JobStatus> {
        let mut cell = self.board.watch();
        tokio::select! {
            biased;
            // The board is held here, so its cell cannot close.
            _ = cell.wait_for(|status| status.state.is_end()) => {}
            () = self.board.left.cancelled() => {}
        }
        self.board.status()
    }
}

impl fmt::Debug for JobHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JobHandle").field(&self.id()).finish()
    }
}
