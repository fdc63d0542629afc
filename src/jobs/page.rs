//! Jobs in pages, the newest first: all that the journal has, as they stand now.

use std::sync::Arc;

use crate::{
    error::Error,
    jobs::{board::of_loaded, journal::Span, setup::Setup, shelf::Kept},
    model::{JobId, JobState, JobStatus},
    state::Trouble,
};

/// Jobs of one page, at most.
const MOST: usize = 1_000;

/// Which jobs are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection {
    /// Only jobs in these states; in all where it is empty. Default: all.
    pub states: Vec<JobState>,
    /// Only jobs that were accepted before this one: the [`Page::next`] of the page before.
    pub before: Option<JobId>,
    /// So many at most, from 1 to 1,000. Default 100.
    pub limit: usize,
}

impl Default for Selection {
    fn default() -> Self {
        Self { states: Vec::new(), before: None, limit: 100 }
    }
}

impl Selection {
    fn fits(&self, status: &JobStatus) -> bool {
        self.states.is_empty() || self.states.contains(&status.state)
    }
}

/// A page of jobs, the newest first.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page {
    /// The jobs.
    pub jobs: Vec<Arc<JobStatus>>,
    /// What [`Selection::before`] takes for the next page; `None` where this is the last.
    pub next: Option<JobId>,
}

impl Page {
    /// The first of these, and whether there are more.
    fn of(mut jobs: Vec<Arc<JobStatus>>, limit: usize) -> Self {
        let more = jobs.len() > limit;
        jobs.truncate(limit);
        let next = jobs.last().filter(|_| more).map(|last| last.id);
        Self { jobs, next }
    }
}

/// The page that was asked for. While the disk refuses, it is made of the jobs that are remembered.
///
/// # Errors
/// There is no job `before`.
pub(crate) async fn page(setup: &Setup, asked: &Selection) -> Result<Page, Error> {
    let limit = asked.limit.clamp(1, MOST);
    if setup.journal.is_durable() {
        match kept(setup, asked, limit).await {
            Ok(page) => return page,
            Err(trouble) => tracing::warn!(%trouble, "the jobs are listed from memory alone"),
        }
    }
    let mut all = setup.shelf.all();
    if let Some(before) = asked.before {
        let place = all.iter().position(|kept| kept.board.id() == before);
        all.truncate(place.ok_or_else(|| unknown(before))?);
    }
    let jobs = all.iter().rev().map(|kept| kept.board.status()).filter(|status| asked.fits(status));
    Ok(Page::of(jobs.take(limit + 1).collect(), limit))
}

/// A page of what the disk has. A job that is open, or was so not long ago, stands in memory as it is now.
async fn kept(setup: &Setup, asked: &Selection, limit: usize) -> Result<Result<Page, Error>, Trouble> {
    let before = match asked.before {
        None => i64::MAX,
        Some(id) => match number(setup, id).await? {
            Some(number) => number,
            None => return Ok(Err(unknown(id))),
        },
    };
    let mut span = Span { before, states: asked.states.clone(), limit: 0 };
    let mut jobs = Vec::new();
    loop {
        span.limit = limit + 1 - jobs.len();
        let found = setup.journal.ids(&span).await?;
        let is_last = found.len() < span.limit;
        for (number, id) in found {
            span.before = number;
            let status = match setup.shelf.get(id) {
                Some(kept) => Some(kept.board.status()),
                // One that was erased in this moment is none.
                None => setup.journal.find(id).await?.map(|loaded| Arc::new(of_loaded(&loaded))),
            };
            jobs.extend(status.filter(|status| asked.fits(status)));
        }
        if is_last || jobs.len() > limit {
            return Ok(Ok(Page::of(jobs, limit)));
        }
    }
}

async fn number(setup: &Setup, id: JobId) -> Result<Option<i64>, Trouble> {
    match setup.shelf.get(id) {
        Some(Kept { number, .. }) => Ok(Some(number)),
        None => Ok(setup.journal.find(id).await?.map(|loaded| loaded.number)),
    }
}

fn unknown(id: JobId) -> Error {
    Error::UnknownJob { id: id.to_string() }
}
