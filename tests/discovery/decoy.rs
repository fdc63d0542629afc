//! What listens on a port and is no backend.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// What it does with whoever connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decoy {
    /// An SSH server: it speaks first.
    Banner,
    /// It takes the connection and says nothing.
    Silent,
    /// It closes at once.
    Closing,
    /// Bytes that are no HTTP.
    Garbage,
    /// Headers without an end, as fast as they are taken.
    EndlessHead,
    /// One header without an end.
    EndlessHeader,
    /// A body without an end.
    EndlessBody,
    /// A good head, and then a byte now and then.
    Drip,
    /// Interim answers without an end.
    Interim,
    /// A page for every path.
    Page,
    /// Another program on aiohttp, with a queue of its own.
    Queue,
    /// Sent elsewhere, whatever was asked.
    Redirect,
    /// A log-in of its own.
    Login,
}

impl Decoy {
    pub(crate) const ALL: [Self; 13] = [
        Self::Banner,
        Self::Silent,
        Self::Closing,
        Self::Garbage,
        Self::EndlessHead,
        Self::EndlessHeader,
        Self::EndlessBody,
        Self::Drip,
        Self::Interim,
        Self::Page,
        Self::Queue,
        Self::Redirect,
        Self::Login,
    ];

    async fn meet(self, mut stream: TcpStream) -> std::io::Result<()> {
        if self == Self::Banner {
            stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").await?;
        }
        if self == Self::Closing {
            return Ok(());
        }
        let mut request = [0; 8192];
        while stream.read(&mut request).await? > 0 {
            match self {
                Self::Banner | Self::Silent | Self::Closing => {}
                Self::Garbage => stream.write_all(&[0x15, 0x03, 0x01, 0, 2, 2, 50, b'\n', 0xff]).await?,
                Self::EndlessHead => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                    loop {
                        stream.write_all(b"x-more: and more\r\n").await?;
                    }
                }
                Self::EndlessHeader => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\nx-long: ").await?;
                    loop {
                        stream.write_all(&[b'a'; 4096]).await?;
                    }
                }
                Self::EndlessBody => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[").await?;
                    loop {
                        stream.write_all(&[b' '; 4096]).await?;
                    }
                }
                Self::Drip => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await?;
                    loop {
                        stream.write_all(b" ").await?;
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
                Self::Interim => loop {
                    stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").await?;
                },
                Self::Page => {
                    answer(&mut stream, "200 OK", "nginx", "<html><title>Welcome to nginx!</title>").await?
                }
                Self::Queue => {
                    let body = r#"{"queue_running":[],"queue_pending":[],"exec_info":{"queue_remaining":0}}"#;
                    answer(&mut stream, "200 OK", "Python/3.12 aiohttp/3.13.5", body).await?;
                }
                Self::Redirect => answer(&mut stream, "302 Found\r\nlocation: /config", "x", "").await?,
                Self::Login => {
                    answer(&mut stream, "401 Unauthorized", "x", r#"{"error":"log in first"}"#).await?;
                }
            }
        }
        Ok(())
    }
}

async fn answer(stream: &mut TcpStream, status: &str, server: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nserver: {server}\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).await
}

/// One of each, listening.
pub(crate) struct Decoys {
    pub(crate) ports: Vec<(u16, Decoy)>,
    _tasks: JoinSet<()>,
}

impl Decoys {
    pub(crate) async fn start() -> Self {
        let mut tasks = JoinSet::new();
        let mut ports = Vec::new();
        for decoy in Decoy::ALL {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            ports.push((listener.local_addr().unwrap().port(), decoy));
            let listener = Arc::new(listener);
            tasks.spawn(async move {
                let mut guests = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    // A guest who leaves ends the conversation; that is no failure of the decoy.
                    guests.spawn(async move { drop(decoy.meet(stream).await) });
                }
            });
        }
        Self { ports, _tasks: tasks }
    }
}
