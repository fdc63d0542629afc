//! From a request to a job in the journal.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::{
    error::Error,
    jobs::{
        Job,
        board::{Board, Counted},
        clock::Clock,
        inputs::Held,
        journal::{Accepted, Entry, Loaded, Request, Step},
        machine::{Effect, Event, Files, Keep},
        setup::Setup,
    },
    model::{Code, Fault, JobId, Work},
};

/// What the journal said of a job.
pub(crate) enum Taken {
    New { entry: Box<Entry>, number: i64 },
    Known(Arc<Board>),
}

/// What goes into the journal for a request.
pub(crate) fn entry(job: Job, held: &Held, setup: &Setup) -> Result<Entry, Error> {
    let work = job.work?;
    let id = JobId::random();
    let mut terms = job.terms;
    // Of a job that is not stored nothing lies in the state directory, its files included.
    let kept_here = setup.outputs.is_some() && terms.keep == Keep::All;
    let goes_somewhere = job.save_to.is_some() || kept_here;
    if matches!(work, Work::Image(_)) && !goes_somewhere {
        // They come inside the answer, which is not asked for twice: without a place they would be paid for and lost.
        let fault = Fault::new(Code::BadRequest, "the pictures of an `image` job have no place to go");
        return Err(Error::Fault(fault.with_fix("Give the job `save_to`, or store it in a `state_dir`.")));
    }
    terms.files = if goes_somewhere { Files::Fetch } else { Files::Leave };
    let request = Request { work, save_to: job.save_to };
    Ok(Entry {
        id,
        key: job.key,
        target: job.target,
        request,
        terms,
        at: Timestamp::now(),
        inputs: held.files(),
    })
}

/// Takes a job into the journal.
pub(crate) async fn accept(setup: &Setup, entry: Entry) -> Result<Taken, Error> {
    match setup.journal.accept(entry.clone()).await? {
        Accepted::New { number } => Ok(Taken::New { entry: Box::new(entry), number }),
        Accepted::Known { id, .. } => known(setup, id).await.map(Taken::Known),
    }
}

/// The board of a job that the journal knows.
pub(crate) async fn known(setup: &Setup, id: JobId) -> Result<Arc<Board>, Error> {
    if let Some(kept) = setup.shelf.get(id) {
        return Ok(kept.board);
    }
    let loaded = setup.journal.find(id).await?.ok_or_else(|| Error::UnknownJob { id: id.to_string() })?;
    // One that is open, and not on the shelf yet, is on its way there.
    let counted = if loaded.machine.stage().is_end() { Counted::Later } else { Counted::Now };
    Ok(restored(setup, &loaded, counted))
}

/// The board of a job that the journal told of.
pub(crate) fn restored(setup: &Setup, loaded: &Loaded, counted: Counted) -> Arc<Board> {
    match setup.shelf.get(loaded.id) {
        Some(kept) => kept.board,
        None => setup.shelf.put(Board::restored(loaded, setup.hub.clone(), counted), loaded.number),
    }
}

/// Takes an ended job out of its end, durably. Who drives it goes on from there.
pub(crate) async fn again(setup: &Setup, loaded: Loaded) -> Result<Loaded, Error> {
    let id = loaded.id;
    let board = known(setup, id).await?;
    if loaded.request.is_none() {
        return Err(Error::Settled { id: id.to_string(), why: "its request was not kept" });
    }
    let before = loaded.machine.state();
    let (loaded, stepped) = step(setup, &board, loaded, Event::Retry).await?;
    if !stepped {
        let id = id.to_string();
        return Err(match before.is_end() {
            true => Error::Settled { id, why: "it is done" },
            false => Error::Open { id, state: before },
        });
    }
    board.renew();
    Ok(loaded)
}

/// Erases an ended job.
pub(crate) async fn erase(setup: &Setup, id: JobId) -> Result<(), Error> {
    let board = known(setup, id).await?;
    let state = board.status().state;
    if !state.is_end() {
        return Err(Error::Open { id: id.to_string(), state });
    }
    let Some(kept) = setup.shelf.get(id) else { return Err(Error::UnknownJob { id: id.to_string() }) };
    let swept = setup.journal.erase(kept.number, id).await?;
    setup.clear(&swept).await;
    Ok(())
}

/// Holds a job whose driver crashed.
pub(crate) async fn hold(setup: Setup, board: Arc<Board>, fault: Fault) {
    let id = board.id();
    let held = match setup.journal.find(id).await {
        Ok(Some(loaded)) => step(&setup, &board, loaded, Event::Crashed(fault.clone())).await.map(|_| ()),
        Ok(None) => Err(Error::UnknownJob { id: id.to_string() }),
        Err(trouble) => Err(trouble.into()),
    };
    if let Err(error) = held {
        // The next start takes it up from the last step.
        tracing::error!(job = %id, %error, %fault, "a job whose driver crashed could not be held");
    }
}

/// One step outside of a driver.
async fn step(
    setup: &Setup,
    board: &Board,
    mut loaded: Loaded,
    event: Event,
) -> Result<(Loaded, bool), Error> {
    let age = Clock::resumed(loaded.accepted_at, loaded.age).age();
    let (machine, effects) = loaded.machine.clone().step(event.clone(), age);
    let Some(Effect::Record { evidence }) = effects.into_iter().next() else { return Ok((loaded, false)) };
    loaded.machine = machine;
    loaded.last_seq += 1;
    loaded.age = age;
    let step = Step {
        seq: loaded.last_seq,
        at: Timestamp::now(),
        age,
        event,
        evidence: evidence.clone(),
        state: loaded.machine.state(),
        keep_request: loaded.machine.terms().keep == Keep::All,
    };
    setup.journal.append(loaded.number, loaded.id, &step).await?;
    if !board.step(&loaded.machine, evidence) {
        return Err(Error::Closing);
    }
    Ok((loaded, true))
}

/// In place of a request that cannot be read: the job is held before anybody looks at it.
pub(crate) fn nothing() -> Request {
    let null = RawValue::from_string("null".to_owned()).expect("null is JSON");
    Request { work: Work::Workflow(null.into()), save_to: None }
}
