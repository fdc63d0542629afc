//! One generation from its request to its end.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    backends::{
        Attempt, Finished, Report, Setback, Sink, Start,
        wan2gp::{
            complaint::{self, Grief},
            follow, gallery,
            memory::{Standing, Wish},
            session::Session,
            snapshot::Snapshot,
            tool::{self, Trouble},
        },
    },
    model::{Code, Fault, Work},
};

/// Events of a job that are asked for. Lines of the server's console are among them.
pub(super) const EVENTS: u32 = 100;

/// The arguments of `wangp_generate`. Never `wait`: it blocks the whole server until the job is over (12.60 over the MCP
/// library 1.10.1: a `tools/list` sent meanwhile took as long as the job).
#[derive(Serialize)]
struct Generate<'a> {
    source: &'a RawValue,
    event_limit: u32,
}

/// Runs or follows one generation.
pub(super) async fn run(session: &Session, attempt: &Attempt, sink: &dyn Sink) -> Result<Finished, Setback> {
    let remote = attempt.remote.as_str();
    match attempt.start {
        Start::Fresh => fresh(session, attempt, sink).await,
        Start::Follow => match session.memory.standing(remote) {
            Some(Standing::Known(job)) => follow::follow(session, remote, &job, sink).await,
            Some(Standing::Preparing) => {
                let why = Fault::new(Code::ConnectionClosed, "it was not sent before the session ended");
                Err(Setback::Unsent(why))
            }
            Some(Standing::Sent) => {
                session.memory.forget(remote);
                Err(doubt(session, "the request got no answer"))
            }
            // Another run of ours may have left us the server's own id.
            None => match job_id(remote) {
                Some(job) => {
                    session.memory.adopt(remote);
                    follow::follow(session, remote, job, sink).await
                }
                None => Err(doubt(session, "its id at the server is not known")),
            },
        },
    }
}

async fn fresh(session: &Session, attempt: &Attempt, sink: &dyn Sink) -> Result<Finished, Setback> {
    let remote = attempt.remote.as_str();
    session.memory.prepare(remote);
    let begun = begin(session, attempt).await;
    let first = match begun {
        Ok(first) => first,
        // What adrifts here is a doubt, and is remembered as one.
        Err(setback) => {
            session.memory.forget(remote);
            return Err(setback);
        }
    };
    let job = first.job_id.clone();
    session.memory.stands(remote, Standing::Known(job.clone()));
    tracing::debug!(backend = %session.wire.target.id, remote, job, "a generation was accepted");
    sink.report(Report::Accepted { remote: job.clone() });
    if session.memory.wish(remote) == Wish::Cancel
        && let Err(fault) = super::cancel::tell(session, &job).await
    {
        tracing::warn!(%fault, job, "a cancel that came early did not reach the server");
    }
    follow::follow(session, remote, &job, sink).await
}

/// Sends a generation: from the request on its id is a doubt until the answer is here.
async fn begin(session: &Session, attempt: &Attempt) -> Result<Snapshot, Setback> {
    let source = source(session, &attempt.work).await.map_err(Setback::Unsent)?;
    if let Some(why) = session.wire.tie.ended() {
        return Err(Setback::Unsent(why));
    }
    if session.memory.wish(&attempt.remote) == Wish::Cancel {
        return Err(Setback::Cancelled);
    }
    session.memory.stands(&attempt.remote, Standing::Sent);
    let order = Generate { source: &source, event_limit: EVENTS };
    let answer = session.wire.order("wangp_generate", order).await.map_err(|fault| unsent(session, fault))?;
    match tool::document::<Snapshot>(&answer) {
        Ok(first) if job_id(&first.job_id).is_some() => Ok(first),
        Ok(_) => Err(doubt(session, "the server gave it an id that is none")),
        Err(Trouble::Complaint(words)) => {
            Err(Setback::Refused(complaint::refused(&session.wire.place(), &words)))
        }
        Err(Trouble::Unreadable(why)) => Err(doubt(session, &why)),
    }
}

/// The settings, with their files at the server.
async fn source(session: &Session, work: &Work) -> Result<Box<RawValue>, Fault> {
    let Work::Generate(raw) = work else {
        let message = format!("WanGP's MCP server takes `generate`, not a {}", work.name());
        return Err(Fault::new(Code::BadRequest, message)
            .with_fix("Functions (`--call`) are those of WanGP's web page; start it without --mcp."));
    };
    if !raw.get().trim_start().starts_with(['{', '[']) {
        let message = "the settings of a generation are an object, or a list of them";
        return Err(Fault::new(Code::BadRequest, message)
            .with_fix("Write {\"model_type\": \"…\", \"prompt\": \"…\"}."));
    }
    gallery::attach(session, raw).await
}

/// Without a connection nothing was sent; any other fault leaves a doubt.
fn unsent(session: &Session, fault: Fault) -> Setback {
    match fault.code() {
        Code::ConnectionRefused | Code::ConnectTimeout | Code::NoRoute | Code::Dns | Code::Tls => {
            Setback::Refused(fault)
        }
        // Answered by the server or by a proxy that knows none: the tool was not called.
        Code::AuthRequired | Code::Forbidden | Code::WrongProgram | Code::BadRequest => {
            Setback::Refused(fault)
        }
        _ => doubt(session, fault.message()),
    }
}

fn doubt(session: &Session, why: &str) -> Setback {
    let place = session.wire.place();
    let message = format!("nobody can say whether the generation runs at {place}: {why}");
    Setback::Uncertain(
        Fault::new(Code::Uncertain, message)
            .with_fix("WanGP keeps no list of its jobs: look at what it makes, then submit it again or not."),
    )
}

/// An id of the form that the server mints: 32 hexadecimal digits.
pub(super) fn job_id(text: &str) -> Option<&str> {
    (text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())).then_some(text)
}

/// The setback of a look at a job that the server does not know; `None` for any other complaint.
pub(super) fn gone(session: &Session, remote: &str, words: &str) -> Option<Setback> {
    if complaint::grief(words) != Grief::UnknownJob {
        return None;
    }
    let unfinished = session.memory.died_unfinished(remote);
    let message = format!("{}: WanGP was restarted, and with it the job is gone", session.wire.place());
    Some(Setback::Gone { evidence: Fault::new(Code::Lost, message), unfinished })
}
