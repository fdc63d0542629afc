//! A call that the app may have: its stream, opened once, up to its end.

use std::time::Duration;

use http::{Method, header};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    backends::{
        Attempt, Finished, Report, Seen, Setback, Sink,
        gradio::{
            file,
            flight::Flight,
            memory::Fate,
            message::Ending,
            probe,
            refusal::Refusal,
            session::Session,
            stream::EventStream,
            watch::{Step, Watch},
        },
    },
    model::{Code, Fault, Work},
};

/// How long an app's word that it does not know a session has to hold before it is taken for proof.
const PROOF: Duration = Duration::from_secs(2);

/// How far the end of a stream may lie behind the end of the session.
const LAG: Duration = Duration::from_millis(100);

/// How a stream ended.
enum Over {
    Ended(Ending),
    /// The app does not know the session.
    NoSession,
    Setback(Setback),
}

/// Follows a call on a new session, or one whose request got no answer.
pub(super) async fn take_up(
    session: &Session,
    attempt: &Attempt,
    sink: &dyn Sink,
) -> Result<Finished, Setback> {
    let remote = attempt.remote.as_str();
    match session.memory().fate(remote, session.boot()) {
        Fate::Gone { unfinished } => Err(gone(session, remote, unfinished)),
        Fate::Opened => Err(uncertain(session, remote, "its stream broke, and Gradio shows it once")),
        Fate::Doubtful => after_doubt(session, remote, unanswered(), sink).await,
        Fate::Waiting => watch(session, remote, sink).await,
        Fate::Unknown => adopt(session, attempt, sink).await,
    }
}

/// A call of another process of ours: what it wrote down says what the app's answer means.
async fn adopt(session: &Session, attempt: &Attempt, sink: &dyn Sink) -> Result<Finished, Setback> {
    let (remote, past) = (attempt.remote.as_str(), &attempt.past);
    if past.boot.as_deref() == Some(session.boot())
        && let Work::Call { function, .. } = &attempt.work
        && let Ok(function) = session.function(function)
    {
        // From here on it can be cancelled: the app's id for it comes with the first message.
        session.memory().sending(remote, session.boot(), function.index);
    }
    match (&past.boot, past.seen) {
        (Some(boot), _) if boot != session.boot() => Err(gone(session, remote, false)),
        (Some(_), Seen::Nothing) => after_doubt(session, remote, unanswered(), sink).await,
        (Some(_), Seen::Arrived) => watch(session, remote, sink).await,
        (Some(_), Seen::Opened) | (None, _) => match open(session, remote, sink).await {
            Over::NoSession => Err(uncertain(session, remote, "the app does not know it, and nor do we")),
            over => finish(session, remote, over),
        },
    }
}

fn unanswered() -> Fault {
    Fault::new(Code::ConnectionReset, "the request got no answer")
}

fn gone(session: &Session, remote: &str, unfinished: bool) -> Setback {
    session.memory().forget(remote);
    let message = format!("{} was restarted, and with it the call is gone", session.target().id);
    Setback::Gone { evidence: Fault::new(Code::Lost, message), unfinished }
}

/// A call that was accepted, from the opening of its stream on.
pub(super) async fn watch(session: &Session, remote: &str, sink: &dyn Sink) -> Result<Finished, Setback> {
    let over = open(session, remote, sink).await;
    match over {
        Over::NoSession => match probe::same_boot(session).await {
            Ok(()) => Err(uncertain(session, remote, "the app accepted it and does not know it any more")),
            Err(fault) => Err(Setback::Adrift(fault)),
        },
        over => finish(session, remote, over),
    }
}

/// A call whose request got no answer. Its stream was never opened, so the app can be asked: its messages come, or
/// the app does not know the session. It never arrived if that holds while the same start of the app answers on a
/// new request: one that still hung in a queue of the system would have come in between.
pub(super) async fn after_doubt(
    session: &Session,
    remote: &str,
    doubt: Fault,
    sink: &dyn Sink,
) -> Result<Finished, Setback> {
    for look in 0..2 {
        if look > 0 {
            let pause = async {
                tokio::time::sleep(PROOF).await;
                Ok(())
            };
            session.bounded(PROOF * 2, pause).await.map_err(Setback::Adrift)?;
        }
        probe::same_boot(session).await.map_err(Setback::Adrift)?;
        match open(session, remote, sink).await {
            Over::NoSession => {}
            over => return finish(session, remote, over),
        }
    }
    session.memory().forget(remote);
    Err(Setback::Refused(doubt))
}

fn uncertain(session: &Session, remote: &str, why: &str) -> Setback {
    session.memory().forget(remote);
    let message = format!("nobody can say what became of the call at {}: {why}", session.target().id);
    Setback::Uncertain(Fault::new(Code::Uncertain, message))
}

fn finish(session: &Session, remote: &str, over: Over) -> Result<Finished, Setback> {
    let ending = match over {
        Over::Ended(ending) => ending,
        Over::Setback(setback) => return Err(setback),
        Over::NoSession => return Err(uncertain(session, remote, "the app does not know it")),
    };
    session.memory().forget(remote);
    match ending {
        Ending::Done(data) => finished(&data).map_err(Setback::Failed),
        Ending::Cancelled => Err(Setback::Cancelled),
        Ending::Failed(fault) => Err(Setback::Failed(fault)),
    }
}

pub(super) fn finished(data: &serde_json::value::RawValue) -> Result<Finished, Fault> {
    let bad = |e: serde_json::Error| Fault::new(Code::Protocol, format!("the result cannot be read: {e}"));
    let values: Value = serde_json::from_str(data.get()).map_err(bad)?;
    let document = format!("{{\"data\":{}}}", data.get());
    let result = serde_json::value::RawValue::from_string(document).map_err(bad)?;
    Ok(Finished { files: file::in_result(&values), result: Some(result.into()), notes: Vec::new() })
}

/// Opens the stream and reads it to its end.
async fn open(session: &Session, remote: &str, sink: &dyn Sink) -> Over {
    let path = session.path("queue/data");
    let url = session.http().address().url_with(&path, &[("session_hash", remote)]);
    let request = session.http().with_key(session.http().request_url(Method::GET, url));
    let request = session.admit(request).header(header::ACCEPT, "text/event-stream");
    tokio::select! {
        biased;
        () = session.over() => return Over::Setback(Setback::Adrift(session.why())),
        () = sink.opening() => {}
    }
    session.memory().opening(remote);
    // A proxy that gathers bytes holds back even the head until there are enough of them.
    let limit = session.target().timeouts.idle_stream;
    let answer = match session.bounded(limit, session.http().send(request, limit)).await {
        Ok(answer) if answer.status().is_success() => answer,
        Ok(answer) => {
            let fault = Refusal::of(answer).await.fault;
            // 401 and the like come before the stream, which stays unopened; a proxy's answer may come after.
            if fault.code() != Code::ProxyInTheWay {
                session.memory().unopened(remote);
            }
            return Over::Setback(Setback::Adrift(fault));
        }
        Err(fault) => {
            match fault.code() {
                Code::ConnectionRefused | Code::ConnectTimeout | Code::NoRoute | Code::Dns | Code::Tls => {
                    session.memory().unopened(remote);
                }
                // Opened or not, nobody watched.
                _ => {}
            }
            return Over::Setback(Setback::Adrift(fault));
        }
    };
    let handle = session.memory().handle(remote);
    let leave = handle.as_ref().map(|h| h.leave.clone()).unwrap_or_default();
    let stream = EventStream::new(answer);
    Reader { session, remote, sink, stream, leave, running: None }.read(handle.and_then(|h| h.event)).await
}

struct Reader<'a> {
    session: &'a Session,
    remote: &'a str,
    sink: &'a dyn Sink,
    stream: EventStream,
    leave: CancellationToken,
    running: Option<Flight>,
}

impl Reader<'_> {
    async fn read(mut self, event: Option<String>) -> Over {
        let mut watch = Watch::new(event);
        let mut announced = watch.event().is_some();
        loop {
            let text = match self.next().await {
                Ok(Some(text)) => text,
                Ok(None) => return self.cut(Fault::new(Code::ConnectionClosed, "the app ended the stream")),
                Err(over) => return over,
            };
            let step = watch.take(&text);
            if let Some(event) = watch.event().filter(|_| !announced) {
                announced = true;
                self.session.memory().arrived(self.remote, event);
                self.sink.report(Report::Accepted { remote: self.remote.to_owned() });
            }
            match step {
                Step::Nothing => {}
                Step::Report(report) => self.report(report),
                Step::Ended(ending) => {
                    if watch.strange() > 0 {
                        let (backend, count) = (&self.session.target().id, watch.strange());
                        tracing::debug!(%backend, count, "messages that are not known here");
                    }
                    return Over::Ended(ending);
                }
                Step::NoSession => {
                    self.session.memory().unopened(self.remote);
                    return Over::NoSession;
                }
                Step::Broken(fault) => return self.cut(fault),
            }
        }
    }

    async fn next(&mut self) -> Result<Option<String>, Over> {
        let idle = self.session.target().timeouts.idle_stream;
        let read = tokio::select! {
            biased;
            read = self.stream.next(idle) => read,
            () = self.leave.cancelled() => return Err(Over::Ended(Ending::Cancelled)),
            () = self.session.over() => {
                // An app that died ends all its streams; this one's end may be a moment behind the session's.
                match tokio::time::timeout(LAG, self.stream.next(idle)).await {
                    Ok(read) => read,
                    Err(_) => return Err(Over::Setback(Setback::Adrift(self.session.why()))),
                }
            }
        };
        match read {
            Ok(text) => Ok(text),
            Err(fault) if fault.code() == Code::Hang => Err(Over::Setback(Setback::Adrift(fault))),
            Err(fault) => Err(self.cut(fault)),
        }
    }

    fn report(&mut self, report: Report) {
        if matches!(report, Report::Started) && self.running.is_none() {
            self.running = Some(self.session.running().begin());
            self.session.memory().started(self.remote);
        }
        self.sink.report(report);
    }

    fn cut(&self, fault: Fault) -> Over {
        self.session.memory().cut(self.remote);
        Over::Setback(Setback::Adrift(fault))
    }
}
