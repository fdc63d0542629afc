//! The stream that shows an app's death at once: `heartbeat/{session}`, held open, with `ALIVE` every 15 s.
//!
//! It has a session hash of its own. Gradio unloads the state of a hash whose heartbeat drops, which must not be that
//! of a call.

use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use http::{Method, StatusCode, header};
use std::sync::Arc;

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

/// The ear of a session.
pub(super) struct Ear {
    session: Arc<Session>,
    answer: Option<reqwest::Response>,
    heard: Heard,
}

/// What came of the heartbeat so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    /// Nothing yet.
    Nothing,
    /// It beats.
    Beating,
    /// It was late, and that was said.
    Late,
    /// Its first beat never came: something between holds the bytes back. The end of the stream still shows.
    HeldBack,
}

impl Ear {
    /// Opens the heartbeat; an app without one leaves death to the probe.
    pub(super) async fn open(session: &Arc<Session>) -> Result<(Self, Channel), Fault> {
        let route = format!("heartbeat/{}", uuid::Uuid::new_v4().simple());
        let request = session.request(Method::GET, &route).header(header::ACCEPT, "text/event-stream");
        let answer = session.bounded(session.limit(), session.http().send(request, session.limit())).await?;
        let ear = |answer| Self { session: session.clone(), answer, heard: Heard::Nothing };
        match answer.status() {
            StatusCode::OK => Ok((ear(Some(answer)), Channel::Live)),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok((ear(None), Channel::None)),
            _ => Err(Refusal::of(answer).await.fault),
        }
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
            let Some(answer) = &mut self.answer else { return std::future::pending().await };
            let limit = match self.heard {
                Heard::Nothing => self.session.target().keepalive.deadline,
                _ => BEAT + self.session.target().keepalive.deadline,
            };
            let chunk = match self.heard {
                Heard::Late | Heard::HeldBack => Ok(answer.chunk().await),
                _ => tokio::time::timeout(limit, answer.chunk()).await,
            };
            match chunk {
                Ok(Ok(Some(_))) => match std::mem::replace(&mut self.heard, Heard::Beating) {
                    Heard::Late => return Sign::Heard,
                    Heard::HeldBack => return Sign::Channel(Channel::Live),
                    _ => {}
                },
                Ok(Ok(None)) => {
                    let message = format!("{}: the app closed its heartbeat", self.session.target().id);
                    return Sign::Lost(Fault::new(Code::ConnectionClosed, message));
                }
                Ok(Err(error)) => return Sign::Lost(blame::request(&error)),
                Err(_) if self.heard == Heard::Nothing => {
                    self.heard = Heard::HeldBack;
                    return Sign::Channel(Channel::Degraded);
                }
                Err(_) => {
                    self.heard = Heard::Late;
                    let message = format!("{}: no heartbeat for {limit:?}", self.session.target().id);
                    return Sign::Silent(Fault::new(Code::Hang, message));
                }
            }
        }
    }
}
