//! What happens, as server-sent events; a reader that comes back goes on where it was, or is told that it cannot.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event as Sse, KeepAlive},
    },
};
use futures_util::{Stream, StreamExt, stream};

use super::Context;
use crate::{
    Resumed,
    model::{Event, Snapshot},
};

/// Between comments that keep the connection from looking dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The events after `Last-Event-ID`, or from here on; `resync` carries a snapshot where there would be a gap.
pub(crate) async fn events(State(context): State<Context>, headers: HeaderMap) -> Response {
    let seen = headers.get("last-event-id").and_then(|v| v.to_str().ok());
    let sse = axum::response::Sse::new(stream_of(context, seen));
    sse.keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

fn stream_of(
    context: Context,
    seen: Option<&str>,
) -> impl Stream<Item = Result<Sse, Infallible>> + Send + use<> {
    let handle = context.handle;
    let run = handle.snapshot().run.clone();
    let (first, events) =
        match seen.map(|id| id.rsplit_once('-').and_then(|(r, n)| Some((r, n.parse().ok()?)))) {
            // A first visit: events only; whoever wants the state reads the snapshot.
            None => (Vec::new(), handle.events()),
            Some(place) => {
                let (seen_run, revision) = place.unwrap_or(("", 0));
                match handle.resume(seen_run, revision) {
                    (Resumed::Replay(missed), events) => {
                        (missed.iter().map(|e| of_event(&run, e)).collect(), events)
                    }
                    (Resumed::Resync(snapshot), events) => (vec![of_snapshot(&snapshot)], events),
                }
            }
        };
    let live = events.map(move |event| match event {
        Ok(event) => of_event(&run, &event),
        Err(lagged) => {
            handle.count_lagged(lagged.missed);
            of_snapshot(&handle.snapshot())
        }
    });
    stream::iter(first).chain(live).map(Ok)
}

fn of_event(run: &str, event: &Arc<Event>) -> Sse {
    let sse = Sse::default().id(format!("{run}-{}", event.revision)).event(event.body.name());
    sse.json_data(&**event).unwrap_or_else(|e| Sse::default().comment(e.to_string()))
}

fn of_snapshot(snapshot: &Snapshot) -> Sse {
    let sse = Sse::default().id(format!("{}-{}", snapshot.run, snapshot.revision)).event("resync");
    sse.json_data(snapshot).unwrap_or_else(|e| Sse::default().comment(e.to_string()))
}
