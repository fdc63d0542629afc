//! A proxy that knows HTTP so far as to find the submits: it cuts each where the test says, and passes all else on.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::trail::Trail;

/// Where a submit is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server gets so many bytes of the request, and no more.
    Request(usize),
    /// The client gets so many bytes of the answer, and no more.
    Answer(usize),
}

/// The cuts of one submit, one for each time that it is sent.
struct Plan {
    cuts: VecDeque<Cut>,
    trail: Trail,
}

/// By the mark in the workflow.
type Plans = Arc<Mutex<HashMap<u64, Plan>>>;

pub(crate) struct Scissors {
    pub(crate) address: SocketAddr,
    plans: Plans,
    cuts: Arc<AtomicU64>,
    lengths: Arc<Mutex<(usize, usize)>>,
    _door: JoinSet<()>,
}

struct Pair {
    plans: Plans,
    cuts: Arc<AtomicU64>,
    lengths: Arc<Mutex<(usize, usize)>>,
}

impl Scissors {
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (plans, cuts, lengths) = (Plans::default(), Arc::default(), Arc::default());
        let pair = Arc::new(Pair {
            plans: Arc::clone(&plans),
            cuts: Arc::clone(&cuts),
            lengths: Arc::clone(&lengths),
        });
        let mut door = JoinSet::new();
        door.spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                while lines.try_join_next().is_some() {}
                let pair = pair.clone();
                lines.spawn(async move {
                    let _ = client.set_nodelay(true);
                    if let Ok(upstream) = TcpStream::connect(server).await {
                        let _ = upstream.set_nodelay(true);
                        // A line that ends has ended.
                        let _ = pair.carry(client, upstream).await;
                    }
                });
            }
        });
        Self { address, plans, cuts, lengths, _door: door }
    }

    /// The submits with this mark are cut so, one after the other; the one after these passes.
    pub(crate) fn plan(&self, mark: u64, cuts: &[Cut], trail: &Trail) {
        let plan = Plan { cuts: cuts.iter().copied().collect(), trail: trail.clone() };
        self.plans.lock().unwrap().insert(mark, plan);
    }

    /// The submit with this mark has ended.
    pub(crate) fn forget(&self, mark: u64) {
        self.plans.lock().unwrap().remove(&mark);
    }

    pub(crate) fn cuts(&self) -> u64 {
        self.cuts.load(Relaxed)
    }

    /// The longest request and answer of a submit so far.
    pub(crate) fn lengths(&self) -> (usize, usize) {
        *self.lengths.lock().unwrap()
    }
}

/// The whole head of a message, and what came behind it.
async fn head(from: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> std::io::Result<Option<usize>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            return Ok(Some(end + 4));
        }
        let mut piece = [0; 8192];
        match from.read(&mut piece).await? {
            0 => return Ok(None),
            n => buffer.extend_from_slice(&piece[..n]),
        }
    }
}

fn field(head: &[u8], name: &str) -> Option<usize> {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// A message with the body that its head announces.
async fn message(from: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Vec<u8>>> {
    let Some(end) = head(from, buffer).await? else { return Ok(None) };
    let whole = end + field(&buffer[..end], "content-length:").unwrap_or(0);
    while buffer.len() < whole {
        let mut piece = [0; 8192];
        match from.read(&mut piece).await? {
            0 => return Ok(None),
            n => buffer.extend_from_slice(&piece[..n]),
        }
    }
    Ok(Some(buffer.drain(..whole).collect()))
}

impl Pair {
    async fn carry(&self, mut client: TcpStream, mut server: TcpStream) -> std::io::Result<()> {
        let (mut asked, mut answered) = (Vec::new(), Vec::new());
        while let Some(request) = message(&mut client, &mut asked).await? {
            if request.starts_with(b"POST /prompt ") {
                if !self.submit(&request, &mut client, &mut server, &mut answered).await? {
                    return Ok(());
                }
                continue;
            }
            server.write_all(&request).await?;
            if request.starts_with(b"GET /ws") {
                tokio::io::copy_bidirectional(&mut client, &mut server).await?;
                return Ok(());
            }
            let Some(answer) = message(&mut server, &mut answered).await? else { return Ok(()) };
            client.write_all(&answer).await?;
        }
        Ok(())
    }

    /// Passes a submit on as far as its plan lets it; false where the line is cut.
    async fn submit(
        &self,
        request: &[u8],
        client: &mut TcpStream,
        server: &mut TcpStream,
        answered: &mut Vec<u8>,
    ) -> std::io::Result<bool> {
        let cut = self.next(request);
        if let Some(Cut::Request(bytes)) = cut {
            server.write_all(&request[..bytes.min(request.len())]).await?;
            server.flush().await?;
            self.cuts.fetch_add(1, Relaxed);
            // Half of the cuts are resets.
            if bytes % 2 == 0 {
                client.set_zero_linger()?;
            }
            return Ok(false);
        }
        server.write_all(request).await?;
        let Some(answer) = message(server, answered).await? else { return Ok(false) };
        {
            let mut lengths = self.lengths.lock().unwrap();
            *lengths = (lengths.0.max(request.len()), lengths.1.max(answer.len()));
        }
        let Some(Cut::Answer(bytes)) = cut else {
            client.write_all(&answer).await?;
            return Ok(true);
        };
        client.write_all(&answer[..bytes.min(answer.len())]).await?;
        self.cuts.fetch_add(1, Relaxed);
        if bytes % 2 == 0 {
            client.set_zero_linger()?;
        }
        Ok(false)
    }

    fn next(&self, request: &[u8]) -> Option<Cut> {
        let text = String::from_utf8_lossy(request);
        let mark: u64 = text.split("\"color\":").nth(1)?.split([',', '}']).next()?.trim().parse().ok()?;
        let mut plans = self.plans.lock().unwrap();
        let plan = plans.get_mut(&mark)?;
        let cut = plan.cuts.pop_front();
        plan.trail.note(format_args!("the scissors have it, and cut {cut:?}"));
        cut
    }
}
