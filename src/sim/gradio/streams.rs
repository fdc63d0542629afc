//! The two streams: a session's messages, and the heartbeat.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::Value;

use crate::sim::{
    Body,
    gradio::{
        engine::{Engine, Mailbox},
        yields::Yields,
    },
};

/// How often a quiet stream says that it lives.
const BEAT: Duration = Duration::from_secs(15);

/// How long a message may take to leave.
const FLUSH: Duration = Duration::from_millis(10);

type Chunk = Result<Frame<Bytes>, io::Error>;

/// A stream of a session's messages. Lost before its end, it takes the session with it.
struct Reading {
    engine: Arc<Engine>,
    session: String,
    mailbox: Arc<Mailbox>,
    stage: Stage,
}

#[derive(PartialEq, Eq)]
enum Stage {
    Open,
    /// The end of the last call was sent.
    Closing,
    Over,
}

impl Drop for Reading {
    fn drop(&mut self) {
        if self.stage == Stage::Open {
            self.engine.lost(&self.session);
        }
    }
}

/// Answers `queue/data`.
pub(super) fn messages(engine: Arc<Engine>, session: String) -> Body {
    let Some(mailbox) = engine.mailbox(&session) else {
        let said = record(&engine.envelope().no_session());
        return body(stream::unfold(Some(said), |said| async {
            Some(match said {
                Some(said) => (Ok(said), None),
                // The exception goes through the answer: it ends without the last chunk, once the message is out.
                None => {
                    tokio::time::sleep(FLUSH).await;
                    (Err(io::ErrorKind::ConnectionReset.into()), None)
                }
            })
        }));
    };
    let reading = Reading { engine, session, mailbox, stage: Stage::Open };
    body(stream::unfold(reading, |mut reading| async move {
        let message = reading.next().await?;
        Some((Ok(record(&message)), reading))
    }))
}

impl Reading {
    async fn next(&mut self) -> Option<Value> {
        match self.stage {
            Stage::Over => return None,
            Stage::Closing => {
                self.stage = Stage::Over;
                return Some(self.engine.envelope().close());
            }
            Stage::Open => {}
        }
        let Ok(message) = tokio::time::timeout(BEAT, self.mailbox.take()).await else {
            return Some(self.engine.envelope().heartbeat());
        };
        if message["msg"] == "process_completed" {
            let event = message["event_id"].as_str().unwrap_or_default();
            if self.engine.delivered(&self.session, event) {
                self.stage = Stage::Closing;
            }
        }
        Some(message)
    }
}

/// A heartbeat of a session. With it goes the session's state.
struct Heart(Arc<Engine>, String);

impl Drop for Heart {
    fn drop(&mut self) {
        self.0.forget(&self.1);
    }
}

/// Answers `heartbeat/{session}`.
pub(super) fn heartbeat(engine: Arc<Engine>, session: &str) -> Body {
    let beat = |(first, heart): (bool, Heart)| async move {
        if !first {
            tokio::time::sleep(BEAT).await;
        }
        Some((Ok(Frame::data(Bytes::from_static(b"data: ALIVE\n\n"))), (false, heart)))
    };
    body(stream::unfold((true, Heart(engine, session.to_owned())), beat))
}

/// Answers `call/{name}/{event}`: the same messages, told more simply.
pub(super) fn simple(engine: Arc<Engine>, event: String) -> Body {
    let envelope = engine.envelope();
    let Some(mailbox) = engine.mailbox(&event) else {
        let said = Frame::data(envelope.simply_unknown().into());
        return body(stream::unfold(Some(said), |said| async {
            Some(match said {
                Some(said) => (Ok(said), None),
                None => {
                    tokio::time::sleep(FLUSH).await;
                    (Err(io::ErrorKind::ConnectionReset.into()), None)
                }
            })
        }));
    };
    let reading = Reading { engine, session: event, mailbox, stage: Stage::Open };
    let told = (reading, Yields::default());
    body(stream::unfold(told, move |(mut reading, mut yields)| async move {
        loop {
            let message = reading.next().await?;
            if let Some(text) = yields.tell(&message, envelope) {
                if reading.stage == Stage::Closing {
                    reading.stage = Stage::Over;
                }
                return Some((Ok(Frame::data(text.into())), (reading, yields)));
            }
        }
    }))
}

fn record(message: &Value) -> Frame<Bytes> {
    Frame::data(format!("data: {message}\n\n").into())
}

fn body(chunks: impl Stream<Item = Chunk> + Send + 'static) -> Body {
    StreamBody::new(chunks).boxed_unsync()
}
