//! What happens, as server-sent events; a reader that comes back goes on where it was, or is told that it cannot.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{Context, answer::refusal, describe::Away, press::Press};
use crate::{
    Resumed,
    model::{Class, Snapshot},
};

/// Between comments that keep the connection from looking dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// What says nothing, and that somebody is there.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// The events after `Last-Event-ID`, or from here on; `resync` carries a snapshot where there would be a gap.
#[utoipa::path(
    get, path = "/events",
    params(("Last-Event-ID" = Option<String>, Header, description = "`RUN-REVISION`, the `id` of the last event that was read")),
    responses((status = 200, content_type = "text/event-stream", body = String,
        description = "`id` is `RUN-REVISION`, `event` the type, `data` an `Event`, or of `resync` a `Snapshot`"), Away)
)]
pub(crate) async fn events(State(context): State<Context>, headers: HeaderMap) -> Response {
    let Ok(place) = context.readers.clone().try_acquire_owned() else {
        let message = "too many read the events already";
        let fix = "Close some of the pages that show them.";
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "too_many_readers", Class::Busy, message, fix);
    };
    let seen = headers.get("last-event-id").map(|v| v.to_str().unwrap_or_default());
    let frames = frames(context, seen).map(move |frame| {
        // The place is the stream's.
        let _held = &place;
        Ok::<_, Infallible>(frame)
    });
    let kind = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (kind, Body::from_stream(frames)).into_response()
}

fn frames(context: Context, seen: Option<&str>) -> impl Stream<Item = Bytes> + Send + use<> {
    let Context { handle, press, .. } = context;
    let run = handle.snapshot().run.clone();
    let (first, events) =
        match seen.map(|id| id.rsplit_once('-').and_then(|(r, n)| Some((r, n.parse().ok()?)))) {
            // A first visit: events only; whoever wants the state reads the snapshot.
            None => (Vec::new(), handle.events()),
            Some(place) => {
                let (seen_run, revision) = place.unwrap_or(("", 0));
                match handle.resume(seen_run, revision) {
                    (Resumed::Replay(missed), events) => {
                        (missed.iter().map(|e| press.event(&run, e)).collect(), events)
                    }
                    (Resumed::Resync(snapshot), events) => (vec![resync(&press, &snapshot)], events),
                }
            }
        };
    // A first comment, so that whoever waits for the beginning sees it.
    let first = stream::iter([COMMENT].into_iter().chain(first));
    let mut beat = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let live = stream::unfold((events, beat, 0), move |(mut events, mut beat, mut told)| {
        let (handle, press, run) = (handle.clone(), press.clone(), run.clone());
        async move {
            loop {
                let event = tokio::select! {
                    biased;
                    event = events.next() => event?,
                    _ = beat.tick() => return Some((COMMENT, (events, beat, told))),
                };
                let frame = match event {
                    // The snapshot of a resync tells of it already.
                    Ok(event) if event.revision <= told => continue,
                    Ok(event) => press.event(&run, &event),
                    Err(lagged) => {
                        handle.count_lagged(lagged.missed);
                        let snapshot = handle.snapshot();
                        told = snapshot.revision;
                        resync(&press, &snapshot)
                    }
                };
                return Some((frame, (events, beat, told)));
            }
        }
    });
    first.chain(live)
}

/// What a reader that missed something goes on from.
fn resync(press: &Press, snapshot: &Arc<Snapshot>) -> Bytes {
    let head = format!("id: {}-{}\nevent: resync\ndata: ", snapshot.run, snapshot.revision);
    [head.as_bytes(), &press.snapshot(snapshot), b"\n\n"].concat().into()
}
