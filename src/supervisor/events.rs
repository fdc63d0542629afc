//! What happens, as a host hears it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::broadcast;

use crate::model::Event;

/// A reader of the events was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{missed} events were missed; the snapshot says what is now")]
pub struct Lagged {
    /// How many.
    pub missed: u64,
}

/// What happens, as it happens.
pub struct Events(Pin<Box<dyn Stream<Item = Result<Arc<Event>, Lagged>> + Send>>);

impl Events {
    pub(super) fn new(receiver: broadcast::Receiver<Arc<Event>>) -> Self {
        let next = |mut receiver: broadcast::Receiver<Arc<Event>>| async move {
            match receiver.recv().await {
                Ok(event) => Some((Ok(event), receiver)),
                Err(broadcast::error::RecvError::Lagged(missed)) => Some((Err(Lagged { missed }), receiver)),
                Err(broadcast::error::RecvError::Closed) => None,
            }
        };
        Self(stream::unfold(receiver, next).fuse().boxed())
    }
}

impl Stream for Events {
    type Item = Result<Arc<Event>, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}
