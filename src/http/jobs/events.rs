//! What becomes of one job, as server-sent events, until it ends.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{OriginalUri, Path, Query, State},
    response::{
        IntoResponse, Response,
        sse::{Event as Sse, KeepAlive},
    },
};
use futures_util::{Stream, stream};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::IntoParams;

use super::{base, found, view};
use crate::{
    http::{
        Context,
        describe::{Bad, Missing},
    },
    jobs::JobHandle,
    model::{BackendId, JobId, JobState, JobStatus, Progress},
};

/// Between comments that keep the connection from looking dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct From {
    /// The byte of its text to begin at; 0 by default.
    offset: Option<usize>,
}

/// A state that it entered, or more that is known of it.
#[derive(Serialize)]
struct Entered<'a> {
    job: JobId,
    state: JobState,
    backend: Option<&'a BackendId>,
    /// How we know.
    evidence: &'a str,
    /// All that is known of it now.
    status: JobStatus,
}

#[derive(Serialize)]
struct Moved<'a> {
    job: JobId,
    progress: &'a Progress,
}

#[derive(Serialize)]
struct Said<'a> {
    job: JobId,
    offset: usize,
    text: &'a str,
}

/// What it is now, then what becomes of it: `job.state` (with the whole job in `status`), `job.progress` (the latest wins)
/// and `job.delta` (from byte `offset` on, none dropped; its `id` is where the next begins). Ends when the job has ended.
#[utoipa::path(
    get, path = "/jobs/{id}/events",
    params(
        ("id" = JobId, Path, description = "The job"), From,
        ("Last-Event-ID" = Option<String>, Header, description = "The byte of its text to go on from")
    ),
    responses((status = 200, content_type = "text/event-stream", body = String), Bad, Missing)
)]
pub(crate) async fn events(
    State(context): State<Context>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<String>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Response {
    let job = match found(&context.handle, &id).await {
        Ok(job) => job,
        Err(error) => return error.into_response(),
    };
    let seen = headers.get("last-event-id").and_then(|v| v.to_str().ok()?.trim().parse().ok());
    let offset = seen.or(from.offset).unwrap_or_default();
    let sse = axum::response::Sse::new(Reader::new(job, offset, base(&uri)).stream());
    sse.keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// One reader of one job.
struct Reader {
    job: JobHandle,
    cell: watch::Receiver<Arc<JobStatus>>,
    length: watch::Receiver<usize>,
    base: String,
    offset: usize,
    /// What was told last: the state, the steps, the outputs.
    told: Option<(JobState, usize, usize)>,
    progress: Option<Progress>,
    waiting: VecDeque<Sse>,
    over: bool,
}

impl Reader {
    fn new(job: JobHandle, offset: usize, base: String) -> Self {
        let (cell, length) = (job.watch(), job.length());
        let (told, progress, waiting, over) = (None, None, VecDeque::new(), false);
        Self { job, cell, length, base, offset, told, progress, waiting, over }
    }

    fn stream(self) -> impl Stream<Item = Result<Sse, Infallible>> + Send {
        stream::unfold(self, |mut reader| async move { Some((Ok(reader.next().await?), reader)) })
    }

    async fn next(&mut self) -> Option<Sse> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            self.look();
            if self.waiting.is_empty() && !self.over {
                tokio::select! {
                    changed = self.cell.changed() => changed.ok()?,
                    changed = self.length.changed() => changed.ok()?,
                    () = self.job.left() => return None,
                }
            }
        }
    }

    /// Takes what is new. The end is looked for first, and told last: all text that came before it is read after.
    fn look(&mut self) {
        let status = self.cell.borrow_and_update().clone();
        self.length.borrow_and_update();
        let ended = status.state.is_end();
        if !ended {
            self.tell_state(&status);
        }
        self.tell_progress(&status);
        self.tell_text(status.id);
        if ended {
            self.tell_state(&status);
            self.over = true;
        }
    }

    fn tell_state(&mut self, status: &JobStatus) {
        let now = (status.state, status.timeline.len(), status.outputs.len());
        if self.told.replace(now) == Some(now) {
            return;
        }
        let evidence = status.timeline.last().map_or("", |step| step.evidence.as_str());
        let (job, state, backend) = (status.id, status.state, status.backend.as_ref());
        let told = Entered { job, state, backend, evidence, status: view(status, &self.base) };
        self.waiting.push_back(sse("job.state", &told));
    }

    fn tell_progress(&mut self, status: &JobStatus) {
        if let Some(progress) = status.progress.as_ref().filter(|now| self.progress.as_ref() != Some(now)) {
            self.waiting.push_back(sse("job.progress", &Moved { job: status.id, progress }));
            self.progress = Some(progress.clone());
        }
    }

    fn tell_text(&mut self, job: JobId) {
        let text = self.job.text_from(self.offset);
        if !text.is_empty() {
            let event = sse("job.delta", &Said { job, offset: self.offset, text: &text });
            self.offset += text.len();
            self.waiting.push_back(event.id(self.offset.to_string()));
        }
    }
}

fn sse(name: &str, body: &impl Serialize) -> Sse {
    let sse = Sse::default().event(name);
    sse.json_data(body).unwrap_or_else(|e| Sse::default().comment(e.to_string()))
}
