//! Whether the bytes of a request have left: the proof that work did not run.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

/// Whether the bytes of a request have left.
#[derive(Debug, Clone, Default)]
pub(super) struct Left(Arc<AtomicBool>);

impl Left {
    /// These bytes as a body that tells when it is asked for.
    pub(super) fn bytes(&self, bytes: Bytes) -> reqwest::Body {
        reqwest::Body::wrap_stream(self.stream(stream::iter([Ok::<_, Infallible>(bytes)])))
    }

    /// A stream that tells when its first piece is asked for.
    pub(super) fn stream<E: Send + 'static>(
        &self,
        pieces: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> impl Stream<Item = Result<Bytes, E>> + Send + 'static {
        let mark = self.0.clone();
        stream::once(async move { mark.store(true, Relaxed) })
            .map(|()| None)
            .chain(pieces.map(Some))
            .filter_map(async |piece| piece)
    }

    /// Whether any has.
    pub(super) fn any(&self) -> bool {
        self.0.load(Relaxed)
    }
}
