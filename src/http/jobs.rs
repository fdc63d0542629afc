//! Jobs: taken, listed, shown, and what becomes of them.

pub(crate) mod ask;
pub(crate) mod command;
pub(crate) mod events;
pub(crate) mod outputs;
mod range;
pub(crate) mod submit;
mod view;

use axum::{
    Json,
    extract::{OriginalUri, Path, Query, State},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub(crate) use self::view::{base, view};
use super::{
    Context,
    describe::{Bad, Missing},
};
use crate::{
    Error, Handle,
    jobs::{JobHandle, Selection},
    model::{Code, Fault, JobId, JobState, JobStatus},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only jobs in these states, separated by commas.
    state: Option<String>,
    /// So many at most; 100 by default, 1000 at most.
    limit: Option<usize>,
    /// Only jobs older than this one: the `next` of the page before.
    before: Option<String>,
}

/// A page of jobs, the newest first.
#[derive(Serialize, ToSchema)]
struct Page {
    jobs: Vec<JobStatus>,
    /// What `before` takes for the next page; none where this is the last.
    next: Option<JobId>,
}

/// The jobs, the newest first: all that the state database has, or without one those that are remembered.
#[utoipa::path(get, path = "/jobs", params(Wanted), responses((status = 200, body = Page), Bad, Missing))]
pub(crate) async fn list(
    State(context): State<Context>,
    OriginalUri(uri): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Response {
    match page(&context.handle, &base(&uri), &wanted).await {
        Ok(page) => Json(page).into_response(),
        Err(error) => error.into_response(),
    }
}

/// All that is known of a job; of one that ended long ago as long as the state database has it.
#[utoipa::path(get, path = "/jobs/{id}", params(("id" = JobId, Path, description = "The job")), responses((status = 200, body = JobStatus), Missing))]
pub(crate) async fn show(
    State(context): State<Context>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<String>,
) -> Response {
    match found(&context.handle, &id).await {
        Ok(job) => Json(view(&job.status(), &base(&uri))).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn page(handle: &Handle, base: &str, wanted: &Wanted) -> Result<Page, Error> {
    let mut asked = Selection { states: states(wanted.state.as_deref())?, ..Selection::default() };
    asked.limit = wanted.limit.unwrap_or(asked.limit);
    asked.before = wanted.before.as_deref().map(id).transpose()?;
    let found = handle.list_jobs(&asked).await?;
    Ok(Page { jobs: found.jobs.iter().map(|status| view(status, base)).collect(), next: found.next })
}

fn states(text: Option<&str>) -> Result<Vec<JobState>, Error> {
    let known = || JobState::ALL.map(JobState::as_str).join(", ");
    let state = |name: &str| {
        JobState::ALL.into_iter().find(|state| state.as_str() == name).ok_or_else(|| {
            let text = format!("`state`: there is no state `{name}`");
            Error::Fault(Fault::new(Code::BadRequest, text).with_fix(format!("Name some of {}.", known())))
        })
    };
    text.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()).map(state).collect()
}

/// The job with this id.
pub(crate) async fn found(handle: &Handle, text: &str) -> Result<JobHandle, Error> {
    handle.job(id(text)?).await
}

/// What is no id is the id of no job.
pub(crate) fn id(text: &str) -> Result<JobId, Error> {
    text.parse().map_err(|_| unknown(text))
}

fn unknown(id: &str) -> Error {
    Error::UnknownJob { id: crate::model::fault::clean(id, 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_named_and_a_wrong_one_is_told_with_all_that_there_are() {
        assert_eq!(states(None).unwrap(), []);
        assert_eq!(states(Some("done, held")).unwrap(), [JobState::Done, JobState::Held]);
        let error = states(Some("over")).unwrap_err();
        assert!(error.to_string().contains("`over`") && error.fix().contains("uncertain"), "{error}");
    }
}
