//! How the server's death is seen: a connection that asks nothing, which its kernel closes with the process.
//!
//! The protocol's own stream (`GET mcp/`) would show it too, and is not used: while one is open, a WanGP that is told to
//! stop waits for it and does not end (uvicorn under the MCP library 1.10.1: "Waiting for connections to close"). A
//! connection without a request is closed at once then. One that a proxy closes is opened again.

use std::{sync::Arc, time::Duration};

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::{io::AsyncReadExt, net::TcpStream, sync::watch, time::Instant};

use crate::{
    backends::{
        Sign,
        wan2gp::session::{Offer, Session},
    },
    model::{Class, Code, Fault},
};

/// Longest wait for the answer to a suspicion.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between looks at a server that is silent.
const PAUSE: Duration = Duration::from_secs(1);
/// A line that held less long is opened again only after as long: what closes it at once is not a death each time.
const SHORT: Duration = Duration::from_secs(5);

/// How the server was at the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Answering,
    Silent,
    Lost,
}

/// The connection that asks nothing.
enum Line {
    Open(TcpStream),
    /// There is none, and the next try is then.
    Closed(Instant),
    /// Through a proxy it would show the proxy's death, not the server's.
    Useless,
}

struct Watch {
    session: Arc<Session>,
    line: Line,
    offer: watch::Receiver<Offer>,
    list: List,
    mood: Mood,
}

/// Whether the models were read: after the session is ready, since a server with two hundred takes a moment.
#[derive(PartialEq, Eq)]
enum List {
    Unread,
    Read,
}

/// The signs of a session, for as long as it lasts.
pub(super) async fn signs(session: Arc<Session>) -> BoxStream<'static, Sign> {
    let line = match &session.wire.target.http.proxy {
        Some(_) => Line::Useless,
        None => open(&session).await,
    };
    let offer = session.offer_changes();
    let watch = Watch { session, line, offer, list: List::Unread, mood: Mood::Answering };
    stream::unfold(watch, |mut watch| async move { Some((watch.next().await?, watch)) }).boxed()
}

impl Watch {
    async fn next(&mut self) -> Option<Sign> {
        if self.mood == Mood::Lost {
            return None;
        }
        loop {
            let session = self.session.clone();
            let tie = &session.wire.tie;
            tokio::select! {
                biased;
                () = tie.over() => return None,
                turn = self.line.turn() => match turn {
                    Turn::Ended => self.line = Line::Closed(Instant::now() + SHORT),
                    Turn::Due => {
                        self.line = open(&session).await;
                        continue;
                    }
                },
                () = tie.suspected() => {}
                () = tokio::time::sleep(PAUSE), if self.mood == Mood::Silent => {}
                Ok(()) = self.offer.changed() => {
                    self.offer.borrow_and_update();
                    return Some(Sign::Identity(Box::new(session.identity())));
                }
                () = read(&session), if self.list == List::Unread => {
                    self.list = List::Read;
                    continue;
                }
            }
            let look = session.look(PATIENCE).await;
            if let Some(sign) = self.judge(look) {
                return Some(sign);
            }
        }
    }

    fn judge(&mut self, look: Result<(), Fault>) -> Option<Sign> {
        let before = self.mood;
        match look {
            Err(fault) if fault.class() == Class::Unreachable => {
                if fault.code() == Code::ConnectionRefused {
                    self.session.memory.died();
                }
                self.mood = Mood::Lost;
                Some(Sign::Lost(fault))
            }
            Err(fault) if fault.class() == Class::Timeout => {
                self.mood = Mood::Silent;
                (before != Mood::Silent).then_some(Sign::Silent(fault))
            }
            // It answers; whether well is for the probe to say.
            Ok(()) | Err(_) => {
                self.mood = Mood::Answering;
                (before == Mood::Silent).then_some(Sign::Heard)
            }
        }
    }
}

/// Reads the models once; a server that will not list them still generates.
async fn read(session: &Session) {
    if let Err(fault) = session.models().await {
        tracing::info!(backend = %session.wire.target.id, %fault, "the models are not listed");
    }
}

async fn open(session: &Session) -> Line {
    let address = session.wire.clients.http.address();
    let host = address.bare_host();
    let dial = TcpStream::connect((host, address.port()));
    match tokio::time::timeout(session.wire.target.timeouts.connect, dial).await {
        Ok(Ok(stream)) => Line::Open(stream),
        // Requests will tell what is wrong, if anything is.
        _ => Line::Closed(Instant::now() + SHORT),
    }
}

/// What becomes of a line.
enum Turn {
    /// It ended.
    Ended,
    /// It is to be opened again.
    Due,
}

impl Line {
    /// What becomes of it next. Nothing is lost by dropping the wait: what a server says unasked is passed over.
    async fn turn(&mut self) -> Turn {
        match self {
            Self::Open(stream) => {
                let mut unasked = [0; 16];
                while matches!(stream.read(&mut unasked).await, Ok(1..)) {}
                Turn::Ended
            }
            Self::Closed(until) => {
                tokio::time::sleep_until(*until).await;
                Turn::Due
            }
            Self::Useless => std::future::pending().await,
        }
    }
}
