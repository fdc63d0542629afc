//! A proxy that spoils answers: the next so many that a server gives, whatever they answer.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
};

/// What is done to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoil {
    /// Its body ends in the middle, and the connection with it.
    Truncate,
    /// A body that opens a million arrays.
    Deep,
    /// Whole numbers become texts, texts numbers, objects lists: the lengths stay.
    Retype,
    /// One header of half a mebibyte.
    HugeHeader,
    /// Thousands of headers.
    ManyHeaders,
    /// A line of a stream that does not end, for 40 MiB.
    EndlessLine,
    /// Bits flip, anywhere behind the status.
    Flip,
    /// No HTTP at all.
    Noise,
    /// A page of a proxy, with this status.
    Page(u16),
    /// Nothing where a document should be.
    Empty,
}

impl Spoil {
    pub(crate) const ALL: [Self; 12] = [
        Self::Truncate,
        Self::Deep,
        Self::Retype,
        Self::HugeHeader,
        Self::ManyHeaders,
        Self::EndlessLine,
        Self::Flip,
        Self::Noise,
        Self::Page(200),
        Self::Page(404),
        Self::Page(502),
        Self::Empty,
    ];
}

pub(crate) struct Mangler {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    _door: JoinSet<()>,
}

struct Shared {
    spoil: Spoil,
    /// Answers that pass first, and answers that are spoiled then.
    pass: AtomicI64,
    spoiled: AtomicI64,
    seed: AtomicU64,
    done: AtomicU64,
}

impl Mangler {
    /// In front of a server; it passes everything until it is armed.
    pub(crate) async fn start(server: SocketAddr, spoil: Spoil, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            spoil,
            pass: AtomicI64::new(0),
            spoiled: AtomicI64::new(0),
            seed: AtomicU64::new(seed),
            done: AtomicU64::new(0),
        });
        let own = shared.clone();
        let mut door = JoinSet::new();
        door.spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                while lines.try_join_next().is_some() {}
                let shared = own.clone();
                lines.spawn(async move {
                    let Ok(upstream) = TcpStream::connect(server).await else { return };
                    let ((from_client, to_client), (from_server, to_server)) =
                        (client.into_split(), upstream.into_split());
                    // Whichever way ends, the line ends with it.
                    tokio::select! {
                        () = forth(from_client, to_server) => {}
                        () = shared.back(from_server, to_client) => {}
                    }
                });
            }
        });
        Self { address, shared, _door: door }
    }

    /// After `pass` more answers, `count` of them are spoiled.
    pub(crate) fn arm(&self, pass: u32, count: u32) {
        self.shared.pass.store(pass.into(), Relaxed);
        self.shared.spoiled.store(count.into(), Relaxed);
    }

    /// Answers spoiled so far.
    pub(crate) fn done(&self) -> u64 {
        self.shared.done.load(Relaxed)
    }
}

async fn forth(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let mut piece = vec![0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}

impl Shared {
    async fn back(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut piece = vec![0; 65_536];
        while let Ok(read @ 1..) = from.read(&mut piece).await {
            let answer = &piece[..read];
            // Each answer begins a piece: the servers write its head at once.
            if answer.starts_with(b"HTTP/1.1 ") && self.picks() {
                self.done.fetch_add(1, Relaxed);
                // A client that has enough hangs up.
                let _ = self.write(answer, &mut to).await;
                return;
            }
            if to.write_all(answer).await.is_err() {
                return;
            }
        }
    }

    fn picks(&self) -> bool {
        if self.spoiled.load(Relaxed) <= 0 || self.pass.fetch_sub(1, Relaxed) > 0 {
            return false;
        }
        self.spoiled.fetch_sub(1, Relaxed) > 0
    }

    async fn write(&self, answer: &[u8], to: &mut OwnedWriteHalf) -> std::io::Result<()> {
        let mut dice = fastrand::Rng::with_seed(self.seed.fetch_add(1, Relaxed));
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
        let (head, body) = answer.split_at(end);
        let is_stream = String::from_utf8_lossy(head).contains("event-stream");
        let media = if is_stream { "text/event-stream" } else { "application/json" };
        let plain = |length: usize| {
            format!("HTTP/1.1 200 OK\r\ncontent-type: {media}\r\ncontent-length: {length}\r\n\r\n")
        };
        match self.spoil {
            Spoil::Truncate => to.write_all(&answer[..end + body.len() / 2]).await,
            Spoil::Deep => {
                to.write_all(plain(1_000_006).as_bytes()).await?;
                to.write_all(b"data: ").await?;
                to.write_all(&vec![b'['; 1_000_000]).await
            }
            Spoil::Retype => {
                to.write_all(head).await?;
                to.write_all(&body.iter().map(|byte| retyped(*byte)).collect::<Vec<_>>()).await
            }
            Spoil::HugeHeader => {
                let value = "x".repeat(512 * 1024);
                to.write_all(format!("HTTP/1.1 200 OK\r\nx-huge: {value}\r\n\r\n").as_bytes()).await
            }
            Spoil::ManyHeaders => {
                let many: String = (0..5_000).map(|n| format!("x-{n}: y\r\n")).collect();
                to.write_all(format!("HTTP/1.1 200 OK\r\n{many}\r\n{{}}").as_bytes()).await
            }
            Spoil::EndlessLine => {
                to.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: ").await?;
                for _ in 0..40 {
                    to.write_all(&vec![b'a'; 1_048_576]).await?;
                }
                Ok(())
            }
            Spoil::Flip => {
                let mut bytes = answer.to_vec();
                for _ in 0..8 {
                    let at = dice.usize(13.min(bytes.len() - 1)..bytes.len());
                    bytes[at] ^= 1 << dice.u8(0..8);
                }
                to.write_all(&bytes).await
            }
            Spoil::Noise => {
                let noise: Vec<u8> = (0..4_096).map(|_| dice.u8(..)).collect();
                to.write_all(&noise).await
            }
            Spoil::Page(status) => {
                let page = "<html><body>something else</body></html>";
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}",
                    page.len()
                );
                to.write_all(head.as_bytes()).await
            }
            Spoil::Empty => to.write_all(plain(0).as_bytes()).await,
        }
    }
}

fn retyped(byte: u8) -> u8 {
    match byte {
        b'{' => b'[',
        b'}' => b']',
        b':' => b',',
        b't' => b'1',
        other => other,
    }
}
