//! One server, asked over HTTP/1.1: heads, bodies and the number of headers are capped, redirects are not followed, and
//! there is no key to send. Who waits bounds the time.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{Builder, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{
    connection::alarm::Task,
    discovery::{answer::Answer, pace::Pace, question::Question},
};

/// Most of a head that is kept; what is longer ends the conversation.
const HEAD: usize = 64 * 1024;
/// Most headers of an answer.
const HEADERS: usize = 100;
/// Who asks.
const AGENT: &str = concat!("backline/", env!("CARGO_PKG_VERSION"), " (discovery)");

/// Why a server gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// Nothing listens, or it took too long to say so.
    Nobody,
    /// What came is no answer of HTTP.
    Broken,
}

/// A conversation with one address. Dropping it closes the connection.
pub(super) struct Visit {
    peer: SocketAddr,
    authority: String,
    /// Longest wait for a connection.
    connect: Duration,
    pace: Option<Arc<Pace>>,
    open: Option<Open>,
}

struct Open {
    sender: SendRequest<Full<Bytes>>,
    _driver: Task,
}

impl Visit {
    pub(super) fn new(
        peer: SocketAddr,
        authority: String,
        connect: Duration,
        pace: Option<Arc<Pace>>,
    ) -> Self {
        Self { peer, authority, connect, pace, open: None }
    }

    /// Asks one question. A connection that the server closed between two questions is opened again, once.
    pub(super) async fn ask(&mut self, question: Question) -> Result<Answer, Silence> {
        if let Some(mut open) = self.open.take()
            && open.sender.ready().await.is_ok()
            && let Ok(answer) = self.exchange(open, question).await
        {
            return Ok(answer);
        }
        if let Some(pace) = &self.pace {
            pace.turn().await;
        }
        let open = self.connect().await?;
        self.exchange(open, question).await
    }

    /// Opens the connection, which tells in time whether somebody listens. The first turn was taken before.
    pub(super) async fn knock(&mut self) -> Result<(), Silence> {
        self.open = Some(self.connect().await?);
        Ok(())
    }

    async fn connect(&self) -> Result<Open, Silence> {
        let stream = tokio::time::timeout(self.connect, TcpStream::connect(self.peer)).await;
        let Ok(Ok(stream)) = stream else { return Err(Silence::Nobody) };
        // A closed connection shows soon enough without it.
        let _ = stream.set_nodelay(true);
        let mut builder = Builder::new();
        builder.max_buf_size(HEAD).max_headers(HEADERS);
        let (sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|_| Silence::Broken)?;
        // Its end shows at the sender.
        let _driver = Task::spawn(async move { drop(connection.await) });
        Ok(Open { sender, _driver })
    }

    async fn exchange(&mut self, mut open: Open, question: Question) -> Result<Answer, Silence> {
        let mut request = Request::builder()
            .method(question.method())
            .uri(question.path())
            .header(header::HOST, &self.authority)
            .header(header::USER_AGENT, AGENT)
            .header(header::ACCEPT, question.accept());
        let body = question.body();
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(body)).map_err(|_| Silence::Broken)?;
        let answer = open.sender.send_request(request).await.map_err(|_| Silence::Broken)?;
        let (head, body) = answer.into_parts();
        let (body, whole) = read(body, question.cap()).await;
        // What was not read to its end cannot carry another question.
        self.open = whole.then_some(open);
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

/// The body up to a cap, and whether that is all of it.
async fn read(mut body: Incoming, cap: usize) -> (Bytes, bool) {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return (read.freeze(), false) };
        let Ok(data) = frame.into_data() else { continue };
        let room = cap - read.len();
        read.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return (read.freeze(), false);
        }
    }
    (read.freeze(), true)
}
