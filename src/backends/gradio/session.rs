//! A live, identified connection to a Gradio app.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::future::BoxFuture;
use http::{Method, header};
use reqwest::{RequestBuilder, Response};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::{
    backends::{
        Abilities, Attempt, Download, Finished, Fitness, RemoteFile, Setback, Sink, Target,
        gradio::{
            app::App,
            cancel, fetch,
            file::FileData,
            fit,
            flight::{Flight, Flights},
            function::{Function, Functions},
            memory::Memory,
            parameter::Signatures,
            probe,
            refusal::Refusal,
            run,
            upload::{self, Upload},
        },
        session::Pulse,
    },
    model::{BackendId, Code, Fault, Kind, Work},
    net::{Http, body},
};

/// A live, identified connection to a Gradio app.
pub struct Session {
    target: Arc<Target>,
    http: Http,
    memory: Arc<Memory>,
    app: App,
    signatures: OnceCell<Signatures>,
    ended: OnceLock<Fault>,
    over: CancellationToken,
    flights: Flights,
    running: Flights,
}

impl Session {
    pub(super) fn new(target: Arc<Target>, http: Http, memory: Arc<Memory>, app: App) -> Self {
        Self {
            target,
            http,
            memory,
            app,
            signatures: OnceCell::new(),
            ended: OnceLock::new(),
            over: CancellationToken::new(),
            flights: Flights::default(),
            running: Flights::default(),
        }
    }

    /// The app's functions.
    pub fn functions(&self) -> &Functions {
        &self.app.functions
    }

    /// Sends a file to the app; what comes back stands for the file in the arguments of a call. The app keeps it in a
    /// directory of its own under the hash of its bytes.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the upload; the app may keep what arrived.
    ///
    /// # Errors
    /// [`Code::Disk`] where the file cannot be read, else the network's and the app's own.
    pub async fn upload(&self, upload: Upload) -> Result<FileData, Fault> {
        upload::upload(self, upload).await
    }

    /// The names and defaults of the parameters of the functions that the app shows; read once a session.
    pub(super) async fn signatures(&self) -> Result<&Signatures, Fault> {
        let read = async {
            let answer = self.ask(self.request(Method::GET, "info")).await?;
            self.bounded(self.limit(), body::json(answer, body::LIST_CAP)).await
        };
        self.signatures.get_or_try_init(|| read).await
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

    pub(super) fn boot(&self) -> &str {
        &self.app.boot
    }

    /// The function that a caller named.
    pub(super) fn function(&self, wanted: &str) -> Result<&Function, Fault> {
        self.app.functions.find(wanted)
    }

    /// The path of an API route.
    pub(super) fn path(&self, route: &str) -> String {
        format!("{}/{route}", self.app.prefix)
    }

    /// A request to an API route, with all that lets us in.
    pub(super) fn request(&self, method: Method, route: &str) -> RequestBuilder {
        self.admit(self.http.keyed(method, &self.path(route)))
    }

    /// Adds the cookies of the log-in.
    pub(super) fn admit(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.app.cookies {
            Some(cookies) => request.header(header::COOKIE, cookies.header().clone()),
            None => request,
        }
    }

    /// Sends a request; an error's status is a fault.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Response, Fault> {
        let answer = self.bounded(self.limit(), self.http.send(request, self.limit())).await?;
        match answer.status().is_success() {
            true => Ok(answer),
            false => Err(Refusal::of(answer).await.fault),
        }
    }

    /// Returns once the session is over.
    pub(super) async fn over(&self) {
        self.over.cancelled().await;
    }

    /// Why it is over.
    pub(super) fn why(&self) -> Fault {
        let unsaid =
            || Fault::new(Code::ConnectionClosed, format!("the session with {} is over", self.target.id));
        self.ended.get().cloned().unwrap_or_else(unsaid)
    }

    /// Counts one operation under way, until what is returned is dropped.
    pub(super) fn fly(&self) -> Flight {
        self.flights.begin()
    }

    /// The calls of ours that the app works on.
    pub(super) fn running(&self) -> &Flights {
        &self.running
    }

    /// Bounds one exchange: by the end of the session and by a limit.
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
}

impl crate::backends::Session for Session {
    fn backend(&self) -> &BackendId {
        &self.target.id
    }

    fn kind(&self) -> Kind {
        self.app.kind
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            // The session hash.
            can_choose_id: true,
            // Once, as long as the stream of the call was never opened.
            can_look_up: true,
            can_cancel_by_id: true,
            // A generator is closed, a queued call is removed, and the result of a plain function is lost.
            survives_disconnect: false,
            survives_backend_restart: false,
        }
    }

    fn boot(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(std::future::ready(Some(self.boot().to_owned())))
    }

    fn probe(&self) -> BoxFuture<'_, Result<Pulse, Fault>> {
        Box::pin(probe::pulse(self))
    }

    fn in_flight(&self) -> usize {
        self.flights.count()
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
            let finished = run::run(&self, &attempt, &*sink).await;
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
        let ended = self.ended.get();
        f.debug_struct("Session").field("backend", &self.target.id).field("ended", &ended).finish()
    }
}
