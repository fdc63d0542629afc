//! Runs a piece of work to its end, and says of every other end whether the work may have run.

use serde_json::value::{RawValue, to_raw_value};

use crate::{
    backends::{
        Attempt, Finished, Report, Setback, Sink, Start,
        litellm::{
            assembly::Assembly,
            embed::EmbedRequest,
            failure::{Failure, Fate},
            image::{self, ImageRequest},
            request::ChatRequest,
            session::Session,
            transcribe::TranscribeRequest,
        },
    },
    model::{Code, Fault, Work},
};

/// Runs an attempt.
pub(super) async fn run(session: &Session, attempt: Attempt, sink: &dyn Sink) -> Result<Finished, Setback> {
    if attempt.start == Start::Follow {
        let message = "what became of the request cannot be asked: the protocol keeps no record of it";
        return Err(Setback::Uncertain(Fault::new(Code::Uncertain, message)));
    }
    let entry = session.running().enter(attempt.remote);
    let work = async {
        match &attempt.work {
            Work::Chat(body) => chat(session, body, sink).await,
            Work::Embed(body) => embed(session, body, sink).await,
            Work::Image(body) => image(session, body, sink).await,
            Work::Transcribe(body) => transcribe(session, body, sink).await,
            other => {
                let message = format!("a chat server runs no `{}`", other.name());
                Err(not_run(Fault::new(Code::BadRequest, message)))
            }
        }
    };
    tokio::select! {
        biased;
        () = entry.cancelled.cancelled() => Err(Setback::Cancelled),
        done = work => done.map_err(Setback::from),
    }
}

async fn chat(session: &Session, body: &RawValue, sink: &dyn Sink) -> Result<Finished, Failure> {
    let request = ChatRequest::from_json(body).map_err(not_run)?;
    let (request, chosen) = session.addressed(request).map_err(not_run)?;
    let mut notes = told(chosen, sink);
    let mut stream = session.open_chat(&request).await?;
    sink.report(Report::Started);
    let mut assembly = Assembly::default();
    while let Some(chunk) = stream.step().await {
        let chunk = chunk?;
        if !chunk.text().is_empty() {
            sink.report(Report::Delta(chunk.text().to_owned()));
        }
        assembly.add(chunk);
    }
    let completion = assembly.finish();
    if completion.says_nothing() {
        note(sink, &mut notes, "the answer is complete and empty");
    }
    let result = to_raw_value(&completion).map_err(|e| unwritten(&e))?;
    Ok(Finished { result: Some(result.into()), notes, ..Finished::default() })
}

async fn embed(session: &Session, body: &RawValue, sink: &dyn Sink) -> Result<Finished, Failure> {
    let request = EmbedRequest::from_json(body).map_err(not_run)?;
    let (request, chosen) = session.addressed(request).map_err(not_run)?;
    let notes = told(chosen, sink);
    sink.report(Report::Started);
    let (_, body) = session.embed(&request).await?;
    let result: Box<RawValue> = serde_json::from_slice(&body).expect("it was just read as JSON");
    Ok(Finished { result: Some(result.into()), notes, ..Finished::default() })
}

async fn image(session: &Session, body: &RawValue, sink: &dyn Sink) -> Result<Finished, Failure> {
    let request = ImageRequest::from_json(body).map_err(not_run)?;
    let (request, chosen) = session.addressed(request).map_err(not_run)?;
    let notes = told(chosen, sink);
    sink.report(Report::Started);
    let mut images = session.draw(&request).await?;
    let files = image::files(&mut images, &session.keep.stash).map_err(ran)?;
    let result = to_raw_value(&images).map_err(|e| unwritten(&e))?;
    Ok(Finished { files, result: Some(result.into()), notes })
}

async fn transcribe(session: &Session, body: &RawValue, sink: &dyn Sink) -> Result<Finished, Failure> {
    let request = TranscribeRequest::from_json(body).map_err(not_run)?;
    let (request, chosen) = session.addressed(request).map_err(not_run)?;
    let notes = told(chosen, sink);
    sink.report(Report::Started);
    let transcription = session.hear(&request).await?;
    let result = to_raw_value(&transcription).map_err(|e| unwritten(&e))?;
    Ok(Finished { result: Some(result.into()), notes, ..Finished::default() })
}

/// Says which model was chosen, where the caller named none.
fn told(chosen: Option<String>, sink: &dyn Sink) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(model) = chosen {
        let first = format!("the request names no model; `{model}` is the first that the server lists");
        note(sink, &mut notes, &first);
    }
    notes
}

fn note(sink: &dyn Sink, notes: &mut Vec<String>, text: &str) {
    sink.report(Report::Note(text.to_owned()));
    notes.push(text.to_owned());
}

fn unwritten(error: &serde_json::Error) -> Failure {
    ran(Fault::new(Code::Internal, format!("the answer cannot be written: {error}")))
}

fn ran(fault: Fault) -> Failure {
    Failure::new(Fate::Ran, fault)
}

fn not_run(fault: Fault) -> Failure {
    Failure::new(Fate::NotRun, fault)
}
