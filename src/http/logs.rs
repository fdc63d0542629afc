//! The last lines of the log about each backend, for whoever looks at it.
//!
//! The binary installs [`layer`]; a host that wants these lines adds it to its own subscriber. Without it there are
//! none.

use std::{
    collections::{HashMap, VecDeque},
    fmt::{self, Write},
    sync::{
        LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Serialize;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, layer::Context as Around, registry::LookupSpan};
use utoipa::ToSchema;

use super::{Context, backends::known, describe::Missing};
use crate::model::{BackendId, fault::clean};

/// Lines that are kept of a backend.
const LINES: usize = 200;
/// Characters of a line that are kept.
const WIDTH: usize = 400;
/// Backends of which lines are kept; the process's log may be about several supervisors.
const BACKENDS: usize = 4_096;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Line {
    /// When, by the wall clock.
    at: Timestamp,
    /// `error`, `warn`, `info` or `debug`.
    level: &'static str,
    /// What happened, with its circumstances.
    message: String,
}

/// The last lines of the log about a backend, the oldest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Logged {
    /// Whether lines are kept at all: a host has to ask for it.
    kept: bool,
    lines: Vec<Line>,
}

static RING: LazyLock<Mutex<HashMap<String, VecDeque<Line>>>> = LazyLock::new(Mutex::default);
static KEPT: AtomicBool = AtomicBool::new(false);

/// Keeps the last 200 lines about each backend, in memory: what has the field `backend`, or happens in a span with it.
pub fn layer<S: Subscriber + for<'s> LookupSpan<'s>>() -> impl Layer<S> {
    KEPT.store(true, Ordering::Relaxed);
    Ring
}

/// The last lines of the log about a backend.
#[utoipa::path(
    get, path = "/backends/{id}/logs", params(("id" = BackendId, Path)),
    responses((status = 200, body = Logged), Missing)
)]
pub(crate) async fn logs(State(context): State<Context>, Path(id): Path<String>) -> Response {
    let id = match known(&context.handle, &id) {
        Ok(id) => id,
        Err(error) => return error.into_response(),
    };
    let lines = ring().get(id.as_str()).map(|lines| lines.iter().cloned().collect()).unwrap_or_default();
    Json(Logged { kept: KEPT.load(Ordering::Relaxed), lines }).into_response()
}

fn ring() -> MutexGuard<'static, HashMap<String, VecDeque<Line>>> {
    RING.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Ring;

/// The backend that a span is about.
struct About(String);

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Ring {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, around: Around<'_, S>) {
        let mut seen = Seen::default();
        attributes.record(&mut seen);
        if let (Some(backend), Some(span)) = (seen.backend, around.span(id)) {
            span.extensions_mut().insert(About(backend));
        }
    }

    fn on_event(&self, event: &Event<'_>, around: Around<'_, S>) {
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => "error",
            tracing::Level::WARN => "warn",
            tracing::Level::INFO => "info",
            tracing::Level::DEBUG => "debug",
            tracing::Level::TRACE => return,
        };
        let mut seen = Seen::default();
        event.record(&mut seen);
        let inherited = || {
            let about = |span: tracing_subscriber::registry::SpanRef<'_, S>| {
                span.extensions().get::<About>().map(|about| about.0.clone())
            };
            around.event_scope(event)?.find_map(about)
        };
        let Some(backend) = seen.backend.take().or_else(inherited) else { return };
        keep(backend, Line { at: Timestamp::now(), level, message: seen.text() });
    }
}

fn keep(backend: String, line: Line) {
    let mut ring = ring();
    if ring.len() >= BACKENDS && !ring.contains_key(&backend) {
        return;
    }
    let lines = ring.entry(backend).or_default();
    if lines.len() == LINES {
        lines.pop_front();
    }
    lines.push_back(line);
}

/// What an event says.
#[derive(Default)]
struct Seen {
    backend: Option<String>,
    message: String,
    rest: String,
}

impl Seen {
    fn text(self) -> String {
        clean(format!("{}{}", self.message, self.rest).trim(), WIDTH)
    }
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            "backend" => {
                let named = format!("{value:?}");
                // A field that holds an optional id says so.
                let named = named.strip_prefix("Some(").and_then(|n| n.strip_suffix(')')).unwrap_or(&named);
                let id = BackendId::new(named.trim_matches('"')).ok();
                self.backend = id.map(|id| id.as_str().to_owned());
                Ok(())
            }
            name => write!(self.rest, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn lines_about_a_backend_are_kept_by_field_and_by_span_and_no_more_than_so_many() {
        let subscriber = tracing_subscriber::registry().with(layer());
        tracing::subscriber::with_default(subscriber, || {
            for turn in 0..=LINES {
                tracing::info!(backend = %"ring-a", turn, "a turn");
            }
            tracing::info_span!("link", backend = %"ring-b").in_scope(|| {
                tracing::warn!(why = "x\u{1b}[31m", "inside");
                tracing::trace!("too fine");
            });
            tracing::info!(backend = ?Some("ring-c"), "optional");
            tracing::info!("about nobody");
        });
        let ring = ring();
        let texts = |id: &str| ring[id].iter().map(|line| line.message.clone()).collect::<Vec<_>>();
        assert_eq!(texts("ring-a").len(), LINES);
        assert_eq!(texts("ring-a")[0], "a turn turn=1");
        assert_eq!(texts("ring-b"), ["inside why=x\u{fffd}[31m"]);
        assert_eq!(texts("ring-c"), ["optional"]);
    }
}
