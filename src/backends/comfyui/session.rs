//! A live, identified connection to a ComfyUI server.

use std::{
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Method;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

pub(super) use super::status::unexpected;
use crate::{
    backends::{
        Abilities, Attempt, Download, Finished, Fitness, RemoteFile, Session as _, Setback, Sink, Target,
        comfyui::{
            board::Board,
            boot, cancel, fetch, fit,
            follow::Follow,
            history::{Entry, History},
            memory::Memory,
            queue::{Place, Queue},
        },
        session::Pulse,
    },
    model::{BackendId, Code, Fault, Identity, Kind, Work},
    net::{Http, body},
};

/// A live, identified connection to a ComfyUI server.
pub struct Session {
    target: Arc<Target>,
    http: Http,
    memory: Arc<Memory>,
    /// Its number among the sessions of the connector.
    number: u64,
    board: Board,
    ended: OnceLock<Fault>,
    over: CancellationToken,
    flights: Arc<AtomicUsize>,
    pub(super) probes: AtomicU64,
}

/// Where a job is.
#[derive(Debug)]
pub(super) enum Standing {
    Queued(Place),
    Ended(Box<Entry>),
    Absent,
}

/// One operation under way; counted until it is dropped.
pub(super) struct Flight(Arc<AtomicUsize>);

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Session {
    pub(super) fn new(target: Arc<Target>, http: Http, memory: Arc<Memory>, board: Board) -> Self {
        Self {
            target,
            http,
            number: memory.session(),
            memory,
            board,
            ended: OnceLock::new(),
            over: CancellationToken::new(),
            flights: Arc::default(),
            probes: AtomicU64::new(0),
        }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn board(&self) -> &Board {
        &self.board
    }

    /// Returns once the session is over.
    pub(super) async fn over(&self) {
        self.over.cancelled().await;
    }

    /// Whether it is over.
    pub(super) fn over_now(&self) -> bool {
        self.over.is_cancelled()
    }

    /// Why it is over.
    pub(super) fn why(&self) -> Fault {
        let unsaid =
            || Fault::new(Code::ConnectionClosed, format!("the session with {} is over", self.target.id));
        self.ended.get().cloned().unwrap_or_else(unsaid)
    }

    pub(super) fn fly(&self) -> Flight {
        self.flights.fetch_add(1, Ordering::Relaxed);
        Flight(self.flights.clone())
    }

    /// Bounds one exchange with the server: by the end of the session and by the time-out of a request.
    pub(super) async fn bounded<T>(
        &self,
        limit: Duration,
        exchange: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        tokio::select! {
            biased;
            () = self.over() => Err(self.why()),
            done = tokio::time::timeout(limit, exchange) => done.unwrap_or_else(|_| {
                let place = self.http.address().authority();
                Err(Fault::new(Code::RequestTimeout, format!("{place}: no whole answer in {limit:?}")))
            }),
        }
    }

    /// The limit of an ordinary request.
    pub(super) fn limit(&self) -> Duration {
        self.target.timeouts.request
    }

    /// The typed answer to a question by GET.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, cap: usize) -> Result<T, Fault> {
        body::typed(path, &self.bytes(path, cap).await?)
    }

    /// The whole answer to a question by GET.
    pub(super) async fn bytes(&self, path: &str, cap: usize) -> Result<Bytes, Fault> {
        self.bytes_of(self.http.address().url(path), cap).await
    }

    /// As [`Self::bytes`], of a URL of this server.
    pub(super) async fn bytes_of(&self, url: url::Url, cap: usize) -> Result<Bytes, Fault> {
        let limit = self.limit();
        let exchange = async {
            let request = self.http.with_key(self.http.request_url(Method::GET, url));
            let answer = self.http.send(request, limit).await?;
            let status = answer.status();
            if !status.is_success() {
                let path = answer.url().path().trim_start_matches('/').to_owned();
                return Err(unexpected(status, &path));
            }
            body::read(answer, cap).await
        };
        self.bounded(limit, exchange).await
    }

    /// Where a job stands in the queue.
    pub(super) async fn place_of(&self, id: &str) -> Result<Place, Fault> {
        // The answer holds every queued workflow whole.
        let queue: Queue = self.get("queue", body::LIST_CAP).await?;
        Ok(queue.place_of(id))
    }

    /// What history has of a job.
    pub(super) async fn history_of(&self, id: &str) -> Result<Option<Entry>, Fault> {
        let mut history: History = self.get(&format!("history/{id}"), body::LIST_CAP).await?;
        Ok(history.swap_remove(id))
    }

    /// Where a job is: queue, history, and the queue again, since a job can move between two readings.
    pub(super) async fn locate(&self, id: &str) -> Result<Standing, Fault> {
        for _ in 0..2 {
            match self.place_of(id).await? {
                Place::Absent => {}
                place => return Ok(Standing::Queued(place)),
            }
            if let Some(entry) = self.history_of(id).await? {
                return Ok(Standing::Ended(Box::new(entry)));
            }
        }
        Ok(Standing::Absent)
    }
}

impl crate::backends::Session for Session {
    fn backend(&self) -> &BackendId {
        &self.target.id
    }

    fn kind(&self) -> Kind {
        Kind::Comfyui
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            can_choose_id: true,
            can_look_up: true,
            can_cancel_by_id: true,
            survives_disconnect: true,
            // Queue and history are in memory (0.3.64 and 0.24.0).
            survives_backend_restart: false,
        }
    }

    fn boot(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(boot::mark(self))
    }

    fn probe(&self) -> BoxFuture<'_, Result<Pulse, Fault>> {
        Box::pin(self.pulse())
    }

    fn observe(&self) -> BoxFuture<'_, Result<Option<Identity>, Fault>> {
        Box::pin(async { self.whole().await.map(Some) })
    }

    fn overhear(&self, pulse: &Pulse) {
        if let Some(queue) = pulse.queue {
            self.board.compare(queue.running.saturating_add(queue.pending));
        }
    }

    fn unload(&self) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(cancel::unload(self))
    }

    fn in_flight(&self) -> usize {
        self.flights.load(Ordering::Relaxed)
    }

    fn end(&self, why: Fault) {
        if self.ended.set(why).is_ok() {
            self.over.cancel();
        }
    }

    fn ended(&self) -> Option<Fault> {
        self.ended.get().cloned()
    }

    fn run(
        self: Arc<Self>,
        attempt: Attempt,
        sink: Arc<dyn Sink>,
    ) -> BoxFuture<'static, Result<Finished, Setback>> {
        Box::pin(async move {
            let flight = self.fly();
            let finished = Follow::run(&self, &attempt, sink).await;
            drop(flight);
            finished
        })
    }

    fn preflight<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Result<Fitness, Fault>> {
        Box::pin(fit::fit(self, work))
    }

    fn cancel(&self, remote: String) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(cancel::cancel(self, remote))
    }

    fn fetch(&self, file: RemoteFile, from: u64) -> BoxFuture<'_, Result<Download, Fault>> {
        Box::pin(fetch::fetch(self, file, from))
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("backend", &self.target.id).field("ended", &self.ended()).finish()
    }
}
