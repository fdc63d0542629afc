//! A WebSocket whose frames are written down as they come.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::script::{PATIENCE, Script};

/// One socket.
pub struct Socket {
    name: &'static str,
    stream: WebSocketStream<TcpStream>,
    /// Frames that were read and not yet written down.
    pub frames: Vec<Frame>,
}

pub enum Frame {
    Text(Value),
    Binary(Vec<u8>),
    Pong,
    Closed(Option<u16>),
}

impl Frame {
    pub fn kind(&self) -> &str {
        match self {
            Self::Text(value) => value["type"].as_str().unwrap_or_default(),
            Self::Binary(_) => "binary",
            Self::Pong => "pong",
            Self::Closed(_) => "closed",
        }
    }

    pub fn is(&self, kind: &str) -> bool {
        self.kind() == kind
    }

    /// The end of a job: `executing` without a node.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Text(v) if v["type"] == "executing" && v["data"]["node"].is_null())
    }

    pub fn is_step(&self, step: u64) -> bool {
        matches!(self, Self::Text(v) if v["type"] == "progress" && v["data"]["value"] == step)
    }
}

impl Socket {
    pub async fn open(script: &Script, name: &'static str, client: &str) -> Self {
        let host = script.base.trim_start_matches("http://");
        let tcp = TcpStream::connect(host).await.unwrap();
        let url = format!("ws://{host}/ws?clientId={client}");
        let (stream, _) = client_async(url, tcp).await.unwrap_or_else(|e| panic!("no socket: {e}"));
        Self { name, stream, frames: Vec::new() }
    }

    pub async fn say(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    pub async fn ping(&mut self) {
        self.stream.send(Message::Ping("x".into())).await.unwrap();
    }

    /// Reads until a frame that is wanted has come.
    pub async fn until(&mut self, wanted: impl Fn(&Frame) -> bool) {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.read()).await;
            let frame = frame.unwrap_or_else(|_| panic!("{}: what is waited for does not come", self.name));
            let found = wanted(&frame);
            let ended = frame.is("closed");
            self.frames.push(frame);
            if found {
                return;
            }
            assert!(!ended, "{}: closed", self.name);
        }
    }

    /// Reads for a while: for what should not come.
    pub async fn listen(&mut self, long: Duration) {
        let deadline = tokio::time::Instant::now() + long;
        while let Ok(frame) = tokio::time::timeout_at(deadline, self.read()).await {
            self.frames.push(frame);
        }
    }

    async fn read(&mut self) -> Frame {
        loop {
            return match self.stream.next().await {
                Some(Ok(Message::Text(text))) => Frame::Text(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Binary(bytes))) => Frame::Binary(bytes.to_vec()),
                Some(Ok(Message::Pong(_))) => Frame::Pong,
                Some(Ok(Message::Close(close))) => Frame::Closed(close.map(|c| c.code.into())),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => Frame::Closed(None),
            };
        }
    }

    /// Closes in good order, to the end.
    pub async fn close(mut self) {
        let _ = self.stream.close(None).await;
        while let Some(Ok(_)) = self.stream.next().await {}
    }

    /// Writes the frames down that are kept.
    pub fn write(&mut self, script: &mut Script, keep: impl Fn(&Frame) -> bool) {
        for frame in std::mem::take(&mut self.frames).iter().filter(|f| keep(f)) {
            let words = match frame {
                Frame::Text(value) => script.names.value(value).to_string(),
                Frame::Binary(bytes) => binary(script, bytes),
                Frame::Pong => "pong".to_owned(),
                Frame::Closed(code) => format!("closed {code:?}"),
            };
            script.line(format!("{}> {words}", self.name));
        }
    }

    /// The numbers that the `status` frames gave, in order.
    pub fn write_counts(&self, script: &mut Script) {
        let counts = self.frames.iter().filter_map(|frame| match frame {
            Frame::Text(v) if frame.is("status") => {
                Some(v["data"]["status"]["exec_info"]["queue_remaining"].to_string())
            }
            _ => None,
        });
        let counts = counts.collect::<Vec<_>>().join(" ");
        script.line(format!("{}> counts {counts}", self.name));
    }
}

/// A binary frame: its event, what it says of itself, and the kind of its image.
fn binary(script: &mut Script, bytes: &[u8]) -> String {
    let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let image = |bytes: &[u8]| if infer::image::is_jpeg(bytes) { "jpeg" } else { "other" };
    match word(0) {
        1 => format!("binary 1 format {} {}", word(4), image(&bytes[8..])),
        3 => format!("binary 3 {:?}", String::from_utf8_lossy(&bytes[8..])),
        4 => {
            let end = 8 + word(4);
            let meta: Value = serde_json::from_slice(&bytes[8..end]).unwrap();
            format!("binary 4 {} {}", script.names.value(&meta), image(&bytes[end..]))
        }
        other => format!("binary {other}"),
    }
}
