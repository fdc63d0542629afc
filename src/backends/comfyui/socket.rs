//! ComfyUI's WebSocket: opened over our own TCP stream, with limits, without an Origin.

mod head;

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use http::header;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, WebSocketStream, client_async_tls_with_config, client_async_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        handshake::client::Request,
        protocol::{Role, WebSocketConfig},
    },
};

use self::head::Head;
use crate::{
    backends::comfyui::frame::Frame,
    model::{Code, Fault},
    net::{
        Address, Http, blame,
        tunnel::{self, Tunnel},
    },
};

/// Said first on every socket, else the flags are ignored: with it previews name their job and node.
const FEATURES: &str = r#"{"type":"feature_flags","data":{"supports_preview_metadata":true}}"#;

/// Cap of a message and of a frame: the server has none of its own, and previews and texts can be large.
const MESSAGE_CAP: usize = 64 * 1024 * 1024;

/// Cap of what waits to be written: pings and the feature flags.
const WRITE_CAP: usize = 1024 * 1024;

/// How long the close handshake may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// Whether previews are looked at: decides the size of the read buffer, which stays resident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Previews {
    /// 1 KiB, over TLS 4 KiB; a preview that comes anyway is read in pieces.
    #[default]
    Rare,
    /// 128 KiB.
    Wanted,
}

impl Previews {
    fn read_buffer(self) -> usize {
        match self {
            Self::Rare => 1024,
            Self::Wanted => 128 * 1024,
        }
    }
}

/// What became of an attempt to open a socket.
pub(super) enum Opened {
    Socket(Box<Socket>),
    /// The server, or a proxy before it, answers HTTP and refuses the upgrade.
    Refused(Fault),
}

/// What was read.
pub(super) enum Heard {
    Frame(Frame),
    /// A pong, or a message that is none: it says that the other side lives.
    Noise,
}

/// Messages in both directions.
trait Line:
    Stream<Item = Result<Message, tungstenite::Error>> + Sink<Message, Error = tungstenite::Error> + Send + Sync
{
}

impl<L> Line for L where
    L: Stream<Item = Result<Message, tungstenite::Error>>
        + Sink<Message, Error = tungstenite::Error>
        + Send
        + Sync
{
}

/// An open socket.
pub(super) struct Socket {
    /// Over TLS or not: a type for both is as large as the larger one.
    stream: Pin<Box<dyn Line>>,
    place: String,
    malformed: u64,
}

impl Socket {
    /// Opens the socket and says what we understand.
    ///
    /// # Cancel safety
    /// Dropping the future closes what it opened.
    pub(super) async fn open(
        http: &Http,
        client: &str,
        previews: Previews,
        limit: Duration,
    ) -> Result<Opened, Fault> {
        let place = http.address().authority();
        match tokio::time::timeout(limit, connect(http, client, previews)).await {
            Ok(opened) => opened,
            Err(_) => Ok(Opened::Refused(Fault::new(
                Code::ProxyInTheWay,
                format!("{place}: no answer to the WebSocket upgrade in {limit:?}"),
            ))),
        }
    }

    /// Reads the next message.
    ///
    /// # Cancel safety
    /// Safe: a message that was not given out is given out by the next call.
    ///
    /// # Errors
    /// The socket ended: by a close frame, by the end of the stream, by a reset or by a broken frame.
    pub(super) async fn next(&mut self) -> Result<Heard, Fault> {
        let message = match self.stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(fell(&error, &self.place)),
            None => return Err(closed(&self.place)),
        };
        let frame = match message {
            Message::Text(text) => Frame::from_text(&text),
            Message::Binary(bytes) => Frame::from_binary(bytes),
            Message::Close(_) => return Err(closed(&self.place)),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(Heard::Noise),
        };
        Ok(frame.map_or_else(
            |error| {
                self.malformed += 1;
                tracing::debug!(%error, count = self.malformed, "a message that is none");
                Heard::Noise
            },
            Heard::Frame,
        ))
    }

    /// Asks for a pong.
    pub(super) async fn ping(&mut self) -> Result<(), Fault> {
        self.stream
            .send(Message::Ping(Bytes::from_static(b"backline")))
            .await
            .map_err(|e| fell(&e, &self.place))
    }

    /// Closes, and waits for the server's end: only then may the id be used again. False where that did not come.
    pub(super) async fn close(mut self) -> bool {
        let goodbye = async {
            if self.stream.close().await.is_ok() {
                while let Some(Ok(_)) = self.stream.next().await {}
            }
        };
        tokio::time::timeout(GOODBYE, goodbye).await.is_ok()
    }
}

async fn connect(http: &Http, client: &str, previews: Previews) -> Result<Opened, Fault> {
    let place = http.address().authority();
    let request = request(http, client)?;
    let tcp = match http.proxy() {
        None => direct(http.address()).await?,
        Some(proxy) => match tunnel::through(proxy, http.address()).await? {
            Tunnel::Open(tcp) => tcp,
            Tunnel::Refused(fault) => return Ok(Opened::Refused(fault)),
        },
    };
    tcp.set_nodelay(true).map_err(|e| blame::io(&e, &place))?;
    let mut limits = WebSocketConfig::default();
    limits.read_buffer_size = previews.read_buffer();
    limits.write_buffer_size = 0;
    limits.max_write_buffer_size = WRITE_CAP;
    limits.max_message_size = Some(MESSAGE_CAP);
    limits.max_frame_size = Some(MESSAGE_CAP);
    let mut stream = match upgrade(http, request, tcp, limits).await {
        Ok(stream) => stream,
        Err(tungstenite::Error::Http(answer)) => {
            let what = format!("{place}: the WebSocket upgrade is refused ({})", answer.status());
            return Ok(Opened::Refused(Fault::new(Code::ProxyInTheWay, what)));
        }
        Err(tungstenite::Error::Protocol(why)) => {
            let what = format!("{place}: the answer to the WebSocket upgrade is none ({why})");
            return Ok(Opened::Refused(Fault::new(Code::ProxyInTheWay, what)));
        }
        Err(error) => return Err(fell(&error, &place)),
    };
    stream.send(Message::text(FEATURES)).await.map_err(|e| fell(&e, &place))?;
    Ok(Opened::Socket(Box::new(Socket { stream, place, malformed: 0 })))
}

async fn upgrade(
    http: &Http,
    request: Request,
    tcp: TcpStream,
    limits: WebSocketConfig,
) -> Result<Pin<Box<dyn Line>>, tungstenite::Error> {
    if http.address().scheme() == "https" {
        let tls = Some(Connector::Rustls(http.tls()));
        let (line, _) = client_async_tls_with_config(request, tcp, Some(limits), tls).await?;
        return Ok(Box::pin(line));
    }
    let (line, _) = client_async_with_config(request, Head::new(tcp), Some(limits)).await?;
    let (tcp, rest) = line.into_inner().into_parts();
    Ok(Box::pin(WebSocketStream::from_partially_read(tcp, rest, Role::Client, Some(limits)).await))
}

async fn direct(address: &Address) -> Result<TcpStream, Fault> {
    let host = address.bare_host().to_owned();
    // Each address of the name is tried: `localhost` is two.
    let tcp = TcpStream::connect((host, address.port())).await;
    tcp.map_err(|e| blame::io(&e, &address.authority()))
}

fn request(http: &Http, client: &str) -> Result<Request, Fault> {
    let url = http.address().ws_url("ws", &[("clientId", client)]);
    let mut request = url
        .as_str()
        .into_client_request()
        .map_err(|e| Fault::new(Code::BadUrl, format!("{}: {e}", http.address())))?;
    let headers = request.headers_mut();
    for (name, value) in http.headers() {
        // ComfyUI answers 403 to an Origin that is not its own.
        if name != header::ORIGIN {
            headers.append(name, value.clone());
        }
    }
    if let Some(bearer) = http.bearer() {
        headers.insert(header::AUTHORIZATION, bearer.clone());
    }
    Ok(request)
}

fn closed(place: &str) -> Fault {
    Fault::new(Code::ConnectionClosed, format!("{place}: the server ended the WebSocket"))
}

fn fell(error: &tungstenite::Error, place: &str) -> Fault {
    match error {
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => closed(place),
        // kill -9 and SIGTERM look alike: the stream ends without a close frame.
        tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            closed(place)
        }
        tungstenite::Error::Capacity(why) => Fault::new(Code::TooLarge, format!("{place}: {why}")),
        other => {
            let unnamed = || blame::Cause::new(Code::ConnectionReset, other.to_string());
            blame::cause_of(other).unwrap_or_else(unnamed).at(place)
        }
    }
}

#[cfg(all(test, feature = "sim"))]
mod tests;
