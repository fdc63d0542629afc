//! The simple API, for an app whose queue is not to be had: a proxy that lets only `/call` through, say.
//!
//! It tells less: no place in the queue, no progress, no log (4.44.1, 5.29.0, 6.31.0). A call is known by the id that the
//! app gives it, so a request that got no answer cannot be looked up. Its stream, too, is opened once: 4.44.1, 5.29.0 and
//! 6.31.0 never answer a second opening after the end.

use http::{Method, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use tokio_util::sync::CancellationToken;

use crate::{
    backends::{
        Finished, Report, Setback, Sink,
        gradio::{
            follow,
            function::Function,
            message::{self, Ending},
            refusal::Refusal,
            run::{Unjoined, unsent},
            session::Session,
            stream::EventStream,
        },
    },
    model::{Code, Fault},
    net::{body, sse::SseEvent},
};

#[derive(Serialize)]
struct Body<'a> {
    data: &'a [Box<RawValue>],
}

#[derive(Deserialize)]
struct Taken {
    event_id: String,
}

/// What one event says.
#[derive(Debug)]
enum Said {
    /// Whole values, never differences.
    Yielded(String),
    Ended(Ending),
    NoSession,
    Nothing,
}

/// Runs a call by the simple API; `refused` is why the queue did not take it.
pub(super) async fn run(
    session: &Session,
    (remote, function): (&str, &Function),
    values: &[Box<RawValue>],
    (refused, sink): (Fault, &dyn Sink),
) -> Result<Finished, Setback> {
    let Some(name) = &function.name else { return Err(Setback::Refused(refused)) };
    let event = match send(session, name, values).await {
        Ok(event) => event,
        Err(Unjoined::Refused(fault) | Unjoined::Unserved(fault)) => {
            session.memory().forget(remote);
            let message = format!("neither the queue nor the simple API takes the call: {refused}; {fault}");
            return Err(Setback::Refused(Fault::new(fault.code(), message)));
        }
        Err(Unjoined::Doubtful(fault)) => {
            session.memory().forget(remote);
            return Err(Setback::Uncertain(fault));
        }
    };
    session.memory().taken(remote, &event);
    sink.report(Report::Accepted { remote: remote.to_owned() });
    sink.report(Report::Note(
        "the app's queue is not served; called by its simple API, without progress".to_owned(),
    ));
    let leave = session.memory().handle(remote).map(|handle| handle.leave).unwrap_or_default();
    let route = format!("call/{name}/{event}");
    let ended = watch(session, &route, &leave, sink).await;
    session.memory().forget(remote);
    match ended? {
        Ending::Done(data) => follow::finished(&data).map_err(Setback::Failed),
        Ending::Cancelled => Err(Setback::Cancelled),
        Ending::Failed(fault) => Err(Setback::Failed(fault)),
    }
}

/// A state has its `null` among the values: 4.44.1 and 5.29.0 want it, 6.31.0 takes both.
async fn send(session: &Session, name: &str, data: &[Box<RawValue>]) -> Result<String, Unjoined> {
    let request = session.request(Method::POST, &format!("call/{name}"));
    let request = request.json(&Body { data });
    let limit = session.limit();
    let answer = session.bounded(limit, session.http().send(request, limit)).await.map_err(unsent)?;
    if !answer.status().is_success() {
        return Err(Unjoined::of(Refusal::of(answer).await));
    }
    let taken = session.bounded(limit, body::json::<Taken>(answer, body::ERROR_CAP)).await;
    let plain = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match taken {
        Ok(Taken { event_id }) if plain(&event_id) => Ok(event_id),
        Ok(_) => Err(Unjoined::Doubtful(Fault::new(Code::Protocol, "the app's id of the call is none"))),
        Err(fault) => Err(Unjoined::Doubtful(fault)),
    }
}

/// Reads the stream of a call to its end. Whatever else ends it leaves the call unknown: it is not shown twice.
async fn watch(
    session: &Session,
    route: &str,
    leave: &CancellationToken,
    sink: &dyn Sink,
) -> Result<Ending, Setback> {
    let lost = |fault: Fault| {
        let message = format!("nobody can say what became of the call: {fault}");
        Setback::Uncertain(Fault::new(Code::Uncertain, message))
    };
    tokio::select! {
        biased;
        () = session.over() => return Err(lost(session.why())),
        () = sink.opening() => {}
    }
    let request = session.request(Method::GET, route).header(header::ACCEPT, "text/event-stream");
    let idle = session.target().timeouts.idle_stream;
    let answer = session.bounded(idle, session.http().send(request, idle)).await.map_err(lost)?;
    if !answer.status().is_success() {
        return Err(lost(Refusal::of(answer).await.fault));
    }
    let mut stream = EventStream::new(answer);
    loop {
        let read = tokio::select! {
            biased;
            read = stream.next_event(idle) => read,
            () = leave.cancelled() => return Ok(Ending::Cancelled),
            () = session.over() => return Err(lost(session.why())),
        };
        let ended = || lost(Fault::new(Code::Truncated, "the app ended the stream"));
        match said(&read.map_err(lost)?.ok_or_else(ended)?) {
            Said::Yielded(values) => sink.report(Report::Partial(values)),
            Said::Ended(ending) => return Ok(ending),
            Said::NoSession => return Err(lost(Fault::new(Code::NotFound, "the app does not know it"))),
            Said::Nothing => {}
        }
    }
}

/// What an event says. Pure.
fn said(event: &SseEvent) -> Said {
    match event.event.as_str() {
        "generating" => Said::Yielded(event.data.clone()),
        // A call that was cancelled completes without values.
        "complete" => Said::Ended(match serde_json::from_str::<Option<Box<RawValue>>>(&event.data) {
            Ok(Some(data)) if data.get().starts_with('[') => Ending::Done(data),
            Ok(None) => Ending::Cancelled,
            _ => Ending::Failed(Fault::new(Code::Protocol, "the app's result is no list of values")),
        }),
        "error" => match serde_json::from_str::<Value>(&event.data).unwrap_or(Value::Null) {
            Value::String(text) if text.starts_with("404") => Said::NoSession,
            // 6.31.0 says more than the text.
            Value::Object(mut all) => Said::Ended(Ending::Failed(message::failure(all.remove("error")))),
            other => Said::Ended(Ending::Failed(message::failure(Some(other)))),
        },
        _ => Said::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(event: &str, data: &str) -> Said {
        said(&SseEvent { event: event.to_owned(), data: data.to_owned() })
    }

    #[test]
    fn every_recorded_event_is_read() {
        let Said::Ended(Ending::Done(data)) = read("complete", r#"["Status: 0 ", {"step": 0}]"#) else {
            panic!()
        };
        assert_eq!(data.get(), r#"["Status: 0 ", {"step": 0}]"#);
        assert!(matches!(read("generating", "[1]"), Said::Yielded(text) if text == "[1]"));
        assert!(matches!(read("complete", "null"), Said::Ended(Ending::Cancelled)));
        let told = r#"{"error": "boom from generate", "duration": 10, "visible": true, "title": "Error"}"#;
        let Said::Ended(Ending::Failed(fault)) = read("error", told) else { panic!() };
        assert!(fault.message().contains("boom from generate"), "{fault}");
        // 4.44.1 and 5.29.0 hide it.
        let Said::Ended(Ending::Failed(fault)) = read("error", "null") else { panic!() };
        assert_eq!(fault.code(), Code::ExecutionFailed);
        for gone in ["\"404: Session not found.\"", "\"404: Not Found\""] {
            assert!(matches!(read("error", gone), Said::NoSession), "{gone}");
        }
        assert!(matches!(read("heartbeat", "null"), Said::Nothing));
        for bad in ["", "{", "7", "{}"] {
            assert!(matches!(read("complete", bad), Said::Ended(Ending::Failed(_))), "{bad}");
        }
    }
}
