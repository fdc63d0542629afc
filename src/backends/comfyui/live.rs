//! A session's live channel: the one task that reads the socket, and never stops reading it.
//!
//! A ComfyUI client that stops reading freezes the events of every client (0.3.64 and 0.24.0), so frames are
//! handed on without waiting.

mod turn;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use tokio::time::{Instant, sleep_until, timeout_at};

use self::turn::{Turn, follow};
use crate::{
    backends::{
        Sign,
        comfyui::{
            beat::{Beat, Sound},
            board::split,
            frame::Frame,
            memory::Parting,
            session::Session,
            socket::{Heard, Opened, Previews, Socket},
        },
    },
    model::{Channel, Code, Fault, status::Queue},
};

/// How long the first `status` may take: it is the proof that the other side speaks ComfyUI's protocol.
pub(super) const GREETING: Duration = Duration::from_secs(5);

/// How often the socket is tried again while there is none, or a deaf one.
const RETRY: Duration = Duration::from_secs(30);

/// What the channel hears with.
pub(super) enum Ear {
    Socket(Box<Socket>),
    /// No socket is to be had: the queue is asked for, next at this time.
    Poll(Instant, Mood),
    /// Nothing: the session is over.
    Gone,
}

/// What the last question brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Answering,
    Silent,
}

/// A session's live channel.
pub(super) struct Live {
    session: Arc<Session>,
    ear: Ear,
    client: String,
    previews: Previews,
    beat: Beat,
    /// When the socket is tried again.
    retry: Instant,
    signs: VecDeque<Sign>,
    queue: Option<Queue>,
}

impl Live {
    pub(super) fn new(session: Arc<Session>, ear: Ear, client: String, previews: Previews) -> Self {
        let now = Instant::now();
        let beat = Beat::new(session.target().keepalive, now);
        Self { session, ear, client, previews, beat, retry: now + RETRY, signs: VecDeque::new(), queue: None }
    }

    /// The signs, one by one.
    pub(super) fn into_stream(self) -> impl Stream<Item = Sign> + Send + 'static {
        stream::unfold(self, |mut live| async move { live.next().await.map(|sign| (sign, live)) })
    }

    /// What happens rarely is boxed: the largest of these futures would make every idle backend's 10 KiB larger.
    async fn next(&mut self) -> Option<Sign> {
        loop {
            if let Some(sign) = self.signs.pop_front() {
                return Some(sign);
            }
            match self.ear {
                Ear::Gone => return None,
                Ear::Socket(_) => self.listen().await,
                Ear::Poll(next, mood) => Box::pin(self.poll(next, mood)).await,
            }
        }
    }

    async fn listen(&mut self) {
        let Self { ear: Ear::Socket(socket), session, beat, .. } = self else { return };
        match follow(socket, session, beat).await {
            Turn::Ended => Box::pin(self.part()).await,
            Turn::Heard(frame) => self.hear(&frame),
            Turn::Back => self.signs.push_back(Sign::Heard),
            Turn::Silent => self.signs.push_back(Sign::Silent(self.hang())),
            Turn::Lost(fault) => self.lose(fault),
            Turn::Deaf => Box::pin(self.replace()).await,
        }
    }

    fn hear(&mut self, frame: &Frame) {
        if self.beat.heard(Instant::now()) == Sound::AfterSilence {
            self.signs.push_back(Sign::Heard);
        }
        let queue = self.session.board().dispatch(frame);
        self.tell_queue(queue);
    }

    fn tell_queue(&mut self, queue: Option<Queue>) {
        if queue.is_some() && queue != self.queue {
            self.queue = queue;
            self.signs.extend(queue.map(Sign::Queue));
        }
    }

    fn hang(&self) -> Fault {
        let keepalive = self.session.target().keepalive;
        let place = self.session.http().address().authority();
        Fault::new(Code::Hang, format!("{place}: no sign of life within {:?} of a ping", keepalive.deadline))
    }

    /// The socket ended, or the server answers no more.
    fn lose(&mut self, fault: Fault) {
        if matches!(fault.code(), Code::ConnectionClosed | Code::ConnectionReset) {
            if matches!(self.ear, Ear::Socket(_)) {
                self.session.memory().parted(&self.client, Parting::Seen);
            }
            self.session.memory().fell();
        }
        self.ear = Ear::Gone;
        self.signs.push_back(Sign::Lost(fault));
    }

    /// The session is over by our doing: the socket is closed in good order, so that its id can be used again.
    async fn part(&mut self) {
        if let Ear::Socket(socket) = std::mem::replace(&mut self.ear, Ear::Gone) {
            self.close(socket).await;
        }
    }

    async fn close(&self, socket: Box<Socket>) {
        if socket.close().await {
            self.session.memory().parted(&self.client, Parting::Seen);
        }
    }

    /// The socket has turned out deaf: another takes its place, under another id.
    async fn replace(&mut self) {
        tracing::info!("the server sends no events to our WebSocket any more; opening another");
        self.say(Channel::Degraded);
        if let Ear::Socket(socket) = std::mem::replace(&mut self.ear, polling(&self.session)) {
            self.close(socket).await;
        }
        self.open().await;
    }

    /// Opens a socket where there is none; polling goes on where it cannot be had.
    async fn open(&mut self) {
        self.retry = Instant::now() + RETRY;
        self.beat = Beat::new(self.session.target().keepalive, Instant::now());
        self.client = self.session.memory().fresh_client();
        let opened = Socket::open(self.session.http(), &self.client, self.previews, GREETING);
        let mut socket = match opened.await {
            Ok(Opened::Socket(socket)) => socket,
            Ok(Opened::Refused(_)) => return,
            Err(fault) => return self.lose(fault),
        };
        // From here on the server may send events to the new id.
        self.session.board().new_client(self.client.clone());
        match greet(&mut socket, &self.session).await {
            Ok(Some(queue)) => {
                self.ear = Ear::Socket(socket);
                self.say(Channel::Live);
                self.tell_queue(Some(queue));
            }
            Ok(None) => self.close(socket).await,
            Err(fault) => self.lose(fault),
        }
    }

    fn say(&mut self, channel: Channel) {
        self.session.board().set_channel(channel);
        self.signs.push_back(Sign::Channel(channel));
    }

    async fn poll(&mut self, next: Instant, mood: Mood) {
        tokio::select! {
            biased;
            () = self.session.over() => {
                self.ear = Ear::Gone;
                return;
            }
            () = sleep_until(next) => {}
        }
        if Instant::now() >= self.retry {
            self.open().await;
        }
        if matches!(self.ear, Ear::Poll(..)) {
            self.ask(mood).await;
        }
    }

    /// One question in place of a ping.
    async fn ask(&mut self, mood: Mood) {
        let deadline = self.session.target().keepalive.deadline;
        let fault = match tokio::time::timeout(deadline, self.session.remaining()).await {
            Ok(Ok(remaining)) => {
                if mood == Mood::Silent {
                    self.signs.push_back(Sign::Heard);
                }
                self.ear = polling(&self.session);
                return self.tell_queue(Some(split(remaining)));
            }
            Ok(Err(fault)) => fault,
            Err(_) => self.hang(),
        };
        if matches!(fault.code(), Code::ConnectionRefused | Code::ConnectionReset | Code::NoRoute) {
            return self.lose(fault);
        }
        let next = Instant::now() + self.session.target().keepalive.interval;
        self.ear = Ear::Poll(next, Mood::Silent);
        if mood == Mood::Answering {
            self.signs.push_back(Sign::Silent(fault));
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // Without the server's end of it the socket may live on there: its id stays marked as taken.
        if matches!(self.ear, Ear::Socket(_)) {
            self.session.memory().parted(&self.client, Parting::Unseen);
        }
    }
}

/// An ear that asks, first after one interval.
pub(super) fn polling(session: &Session) -> Ear {
    Ear::Poll(Instant::now() + session.target().keepalive.interval, Mood::Answering)
}

/// Waits for the first `status`; what comes before it is dispatched. `None` where none came in time.
pub(super) async fn greet(socket: &mut Socket, session: &Session) -> Result<Option<Queue>, Fault> {
    let deadline = Instant::now() + GREETING;
    loop {
        let heard = tokio::select! {
            biased;
            () = session.over() => return Ok(None),
            heard = timeout_at(deadline, socket.next()) => heard,
        };
        let Ok(heard) = heard else { return Ok(None) };
        let Heard::Frame(frame) = heard? else { continue };
        let queue = session.board().dispatch(&frame);
        if matches!(frame, Frame::Status { .. }) {
            return Ok(queue);
        }
    }
}
