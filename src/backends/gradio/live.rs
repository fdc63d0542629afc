//! The stream that shows an app's death at once: `heartbeat/{session}`, held open, with `ALIVE` every 15 s.
//!
//! It has a session hash of its own. Gradio unloads the state of a hash whose heartbeat drops, which must not be that
//! of a call.
//!
//! A proxy that gathers bytes before it passes them on (nginx does, unless told `proxy_buffering off`) may hold back
//! even the head of the answer for minutes. The session is ready without it then: the end still shows.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt, future::BoxFuture, stream};
use http::{Method, StatusCode, header};
use reqwest::Response;

use crate::{
    backends::{
        Sign,
        gradio::{refusal::Refusal, session::Session},
    },
    model::{Channel, Code, Fault},
    net::blame,
};

/// How often an app says that it lives (4.44.1, 5.29.0, 6.31.0).
const BEAT: Duration = Duration::from_secs(15);

/// Longest wait for the head of the heartbeat before a session is ready without it.
const HEAD: Duration = Duration::from_secs(1);

/// Longer than any session.
const EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The ear of a session.
pub(super) struct Ear {
    session: Arc<Session>,
    beat: Beat,
}

/// Where the heartbeat stands.
enum Beat {
    /// The app has none: its death is left to the probe.
    None,
    /// Even the head of the answer is held back.
    Held(BoxFuture<'static, Result<Response, Fault>>),
    /// Its head came, and no beat yet.
    Head(Response),
    /// Its head came, and its first beat did not come with it: it is held back.
    Late(Response),
    /// It beats.
    Beating(Response),
    /// It was late, and that was said.
    Missed(Response),
}

impl Ear {
    /// Opens the heartbeat.
    pub(super) async fn open(session: &Arc<Session>) -> Result<(Self, Channel), Fault> {
        let mut asked = ask(session.clone());
        let head = tokio::select! {
            biased;
            () = session.over() => return Err(session.why()),
            head = tokio::time::timeout(HEAD, &mut asked) => head,
        };
        let (beat, channel) = match head {
            Ok(answer) => match opened(answer?).await? {
                Some(answer) => (Beat::Head(answer), Channel::Live),
                None => (Beat::None, Channel::None),
            },
            Err(_) => {
                let backend = &session.target().id;
                tracing::info!(%backend, "the heartbeat is held back; nginx wants `proxy_buffering off`");
                (Beat::Held(asked), Channel::Degraded)
            }
        };
        Ok((Self { session: session.clone(), beat }, channel))
    }

    /// What it hears, up to the end of the session.
    pub(super) fn into_stream(self) -> impl Stream<Item = Sign> + Send + 'static {
        stream::unfold(Some(self), |state| async {
            let mut ear = state?;
            let session = ear.session.clone();
            tokio::select! {
                biased;
                () = session.over() => Some((Sign::Lost(session.why()), None)),
                sign = ear.next() => {
                    let over = matches!(sign, Sign::Lost(_));
                    Some((sign, (!over).then_some(ear)))
                }
            }
        })
        .fuse()
    }

    async fn next(&mut self) -> Sign {
        loop {
            let heard = self.listen().await;
            let (beat, sign) = self.turn(heard);
            self.beat = beat;
            if let Some(sign) = sign {
                return sign;
            }
        }
    }

    /// Waits for what the heartbeat brings next. Nothing is lost by dropping it.
    async fn listen(&mut self) -> Heard {
        let deadline = self.session.target().keepalive.deadline;
        let (answer, limit) = match &mut self.beat {
            Beat::None => return std::future::pending().await,
            Beat::Held(asked) => {
                let answer = match asked.await {
                    Ok(answer) => opened(answer).await,
                    Err(fault) => Err(fault),
                };
                return match answer {
                    Ok(answer) => Heard::Opened(answer),
                    Err(fault) => Heard::End(fault),
                };
            }
            Beat::Head(answer) => (answer, deadline),
            Beat::Beating(answer) => (answer, BEAT + deadline),
            Beat::Late(answer) | Beat::Missed(answer) => (answer, EVER),
        };
        match tokio::time::timeout(limit, answer.chunk()).await {
            Ok(Ok(Some(_))) => Heard::Alive,
            Ok(Ok(None)) => {
                let message = format!("{}: the app closed its heartbeat", self.session.target().id);
                Heard::End(Fault::new(Code::ConnectionClosed, message))
            }
            Ok(Err(error)) => Heard::End(blame::request(&error)),
            Err(_) => Heard::Nothing(limit),
        }
    }

    fn turn(&mut self, heard: Heard) -> (Beat, Option<Sign>) {
        let beat = std::mem::replace(&mut self.beat, Beat::None);
        match (beat, heard) {
            (_, Heard::End(fault)) => (Beat::None, Some(Sign::Lost(fault))),
            (_, Heard::Opened(Some(answer))) => (Beat::Late(answer), None),
            (_, Heard::Opened(None)) => (Beat::None, Some(Sign::Channel(Channel::None))),
            (Beat::Head(answer) | Beat::Beating(answer), Heard::Alive) => (Beat::Beating(answer), None),
            // The app was slow, or a proxy has gathered enough after hours: the next missed beat tells which.
            (Beat::Late(answer), Heard::Alive) => (Beat::Beating(answer), Some(Sign::Channel(Channel::Live))),
            (Beat::Missed(answer), Heard::Alive) => (Beat::Beating(answer), Some(Sign::Heard)),
            (Beat::Head(answer), Heard::Nothing(_)) => {
                (Beat::Late(answer), Some(Sign::Channel(Channel::Degraded)))
            }
            (Beat::Beating(answer), Heard::Nothing(limit)) => {
                let message = format!("{}: no heartbeat for {limit:?}", self.session.target().id);
                (Beat::Missed(answer), Some(Sign::Silent(Fault::new(Code::Hang, message))))
            }
            (beat, _) => (beat, None),
        }
    }
}

/// What a heartbeat brings.
enum Heard {
    /// The answer that was held back; `None` where the app has no heartbeat.
    Opened(Option<Response>),
    Alive,
    /// Nothing, for so long.
    Nothing(Duration),
    End(Fault),
}

fn ask(session: Arc<Session>) -> BoxFuture<'static, Result<Response, Fault>> {
    let route = format!("heartbeat/{}", uuid::Uuid::new_v4().simple());
    let request = session.request(Method::GET, &route).header(header::ACCEPT, "text/event-stream");
    Box::pin(async move { session.http().send(request, EVER).await })
}

/// The heartbeat behind an answer; `None` where the app has none.
async fn opened(answer: Response) -> Result<Option<Response>, Fault> {
    match answer.status() {
        StatusCode::OK => Ok(Some(answer)),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(None),
        _ => Err(Refusal::of(answer).await.fault),
    }
}
