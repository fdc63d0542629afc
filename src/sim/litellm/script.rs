//! The body of a simulated stream: pieces with pauses, and how it ends.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use crate::sim::{Body, litellm::Counts};

/// One step of a stream.
#[derive(Debug)]
pub(super) enum Step {
    Wait(Duration),
    Event(String),
}

/// A stream of these steps, which ends in order. It is counted as finished only if it gets there.
pub(super) fn body(steps: Vec<Step>, counts: Arc<Counts>) -> Body {
    let steps = VecDeque::from(steps);
    let events = stream::unfold((steps, counts), |(mut steps, counts)| async move {
        loop {
            match steps.pop_front() {
                // The timer turns once a millisecond: a wait for nothing would cost one.
                Some(Step::Wait(pause)) if pause.is_zero() => tokio::task::consume_budget().await,
                Some(Step::Wait(pause)) => tokio::time::sleep(pause).await,
                Some(Step::Event(data)) => {
                    let event = Bytes::from(format!("data: {data}\n\n"));
                    return Some((Ok::<_, io::Error>(Frame::data(event)), (steps, counts)));
                }
                None => {
                    counts.finished.fetch_add(1, Relaxed);
                    return None;
                }
            }
        }
    });
    StreamBody::new(events).boxed_unsync()
}
