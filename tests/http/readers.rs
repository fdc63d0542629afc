//! Two hundred readers of the events, one of which never reads: the others lose nothing, it is told what it missed,
//! and the memory stays bounded.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use backline::{
    Supervisor,
    config::Config,
    model::{Code, Severity},
    notices::Draft,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpSocket, TcpStream},
    sync::Notify,
    task::JoinSet,
};

use crate::api::{Api, TOKEN};

const READERS: usize = 199;
/// Longest wait for all readers to be where the events are; only a hang meets it.
const LIMIT: Duration = Duration::from_secs(30);

/// How far a reader is.
#[derive(Default)]
struct Seen {
    revision: AtomicU64,
    gaps: AtomicU64,
    resyncs: AtomicU64,
    moved: Notify,
}

async fn connect(address: SocketAddr, buffer: Option<u32>) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    if let Some(size) = buffer {
        socket.set_recv_buffer_size(size).unwrap();
    }
    let mut stream = socket.connect(address).await.unwrap();
    let request =
        format!("GET /api/v1/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Follows the stream's ids; each but a resync's is one more than the one before.
async fn follow(stream: TcpStream, seen: Arc<Seen>) {
    let mut lines = BufReader::new(stream).lines();
    let (mut id, mut last) = (0, 0);
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(text) = line.strip_prefix("id: ") {
            id = text.rsplit_once('-').unwrap().1.parse().unwrap();
        } else if let Some(name) = line.strip_prefix("event: ") {
            if name == "resync" {
                seen.resyncs.fetch_add(1, Ordering::Relaxed);
            } else if last != 0 && id != last + 1 {
                seen.gaps.fetch_add(1, Ordering::Relaxed);
            }
            last = id;
            seen.revision.store(id, Ordering::Relaxed);
            seen.moved.notify_one();
        } else if line == ":" {
            // It is being served.
            seen.moved.notify_one();
        }
    }
}

async fn until(seen: &Seen, revision: u64) {
    let there = async {
        while seen.revision.load(Ordering::Relaxed) < revision {
            seen.moved.notified().await;
        }
    };
    tokio::time::timeout(LIMIT, there).await.unwrap_or_else(|_| {
        panic!("a reader stays at {} of {revision}", seen.revision.load(Ordering::Relaxed))
    });
}

/// So many events, each with a text of some length.
fn happen(supervisor: &Supervisor, turn: usize, pairs: usize) {
    let desk = supervisor.desk();
    for pair in 0..pairs {
        let subject = format!("{turn}-{pair}");
        let draft = Draft::new(Code::Flapping, Severity::Info).detail("y".repeat(400)).subject(&subject);
        desk.raise(draft);
        desk.clear_subject(Code::Flapping, None, &subject);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_readers_lose_nothing_and_the_one_that_never_reads_is_told() {
    let api = Api::over(Supervisor::builder().config(Config::new())).await;
    let mut tasks = JoinSet::new();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let seen = Arc::new(Seen::default());
        let stream = connect(api.server.address, None).await;
        tasks.spawn(follow(stream, seen.clone()));
        seen.moved.notified().await;
        readers.push(seen);
    }
    let mut idle = connect(api.server.address, Some(4096)).await;
    // Its head has come: it is served.
    idle.readable().await.unwrap();
    happen(&api.supervisor, 0, 50);
    let before = resident();
    for turn in 1..=40 {
        happen(&api.supervisor, turn, 50);
        let revision = api.supervisor.snapshot().revision;
        for seen in &readers {
            until(seen, revision).await;
        }
    }
    let revision = api.supervisor.snapshot().revision;
    assert!(revision >= 4_000, "{revision}");
    for seen in &readers {
        let (gaps, resyncs) = (seen.gaps.load(Ordering::Relaxed), seen.resyncs.load(Ordering::Relaxed));
        assert_eq!((gaps, resyncs), (0, 0), "a reader that reads lost something");
    }
    if let (Some(before), Some(now)) = (before, resident()) {
        let grown = now.saturating_sub(before) >> 20;
        assert!(grown < 64, "{grown} MiB for readers of {revision} events");
    }
    // It wakes up.
    idle.flush().await.unwrap();
    let late = Arc::new(Seen::default());
    tasks.spawn(follow(idle, late.clone()));
    until(&late, revision).await;
    assert_eq!(late.resyncs.load(Ordering::Relaxed), 1, "it was told of no gap");
    assert_eq!(late.gaps.load(Ordering::Relaxed), 0, "it missed more than it was told");
}

/// Bytes that this process holds, where the system says.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split(' ').nth(1)?.parse::<u64>().ok().map(|pages| pages * 4096)
}
