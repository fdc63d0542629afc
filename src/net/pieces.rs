//! Bodies that are read piece by piece: files, which no cap of memory bounds.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};

use crate::{
    model::{Code, Fault},
    net::blame,
};

/// The bytes of a body as they come, whatever there are: who reads them counts. A silence longer than `idle` ends them
/// with a fault that names `what` they are. `held` goes with them.
pub(crate) fn pieces<T: Send + 'static>(
    answer: reqwest::Response,
    held: T,
    idle: Duration,
    what: &'static str,
) -> BoxStream<'static, Result<Bytes, Fault>> {
    let pieces = stream::unfold(Some((answer, held)), move |state| async move {
        let (mut answer, held) = state?;
        match tokio::time::timeout(idle, answer.chunk()).await {
            Ok(Ok(Some(piece))) => Some((Ok(piece), Some((answer, held)))),
            Ok(Ok(None)) => None,
            Ok(Err(error)) => Some((Err(blame::request(&error)), None)),
            Err(_) => {
                let silent = Fault::new(Code::RequestTimeout, format!("{what} brought nothing for {idle:?}"));
                Some((Err(silent), None))
            }
        }
    });
    pieces.fuse().boxed()
}
