//! A live, identified connection to a LiteLLM proxy or an OpenAI-compatible server.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::{
    backends::{
        Abilities, Attempt, Download, Finished, Fitness, RemoteFile, Session as Seam, Setback, Sink, Target,
        litellm::{
            account::Account,
            chat::{self, ChatStream, Line},
            completion::ChatCompletion,
            embed::EmbedRequest,
            embedding::Embeddings,
            failure::{Failure, Fate},
            fetch, fit,
            identify::Found,
            offer::{Model, Offer},
            redact::Redactor,
            request::{Addressed, AskUsage, ChatRequest},
            run,
            running::Running,
            stash::Stash,
            stream::Manners,
            wire::Wire,
        },
        session::Pulse,
        tie::Tie,
    },
    model::{BackendId, Code, Fault, Identity, Kind, Work},
    net::{
        Http,
        body::{JSON_CAP, LIST_CAP},
    },
};

const CHAT: &str = "v1/chat/completions";
const EMBEDDINGS: &str = "v1/embeddings";

/// A live, identified connection to a LiteLLM proxy or an OpenAI-compatible server.
pub struct Session {
    pub(super) wire: Wire,
    pub(super) keep: Keep,
    version: Option<String>,
    title: Option<String>,
    running: Running,
}

/// What outlives a session.
#[derive(Clone, Default)]
pub(super) struct Keep {
    pub(super) account: Account,
    pub(super) stash: Stash,
}

/// The two clients of a backend.
#[derive(Clone)]
pub(super) struct Clients {
    /// For what may be asked twice.
    pub(super) http: Http,
    /// For what may not run twice: a connection of its own each.
    pub(super) work: Http,
}

impl Session {
    pub(super) fn new(
        target: Arc<Target>,
        (clients, keep): (Clients, Keep),
        redactor: Redactor,
        found: Found,
    ) -> Self {
        let Clients { http, work } = clients;
        let offer = watch::Sender::new(Arc::new(found.offer));
        let wire = Wire { target, http, work, tie: Tie::default(), redactor, offer };
        Self { wire, keep, version: found.version, title: found.title, running: Running::default() }
    }

    /// Sends a chat and waits for its whole answer, at most `timeouts.idle_stream` (default 300 s). A request without a
    /// model goes to the first chat model of the backend.
    ///
    /// # Errors
    /// By the answer's status; [`Code::Protocol`] for an answer that is no completion. A fault of the class
    /// `unreachable` or `timeout` does not say whether the chat ran.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; the server may finish the answer, and charge for it.
    pub async fn chat(&self, request: ChatRequest) -> Result<ChatCompletion, Fault> {
        let _flight = self.wire.tie.fly();
        let (request, _) = self.addressed(request)?;
        let done = async {
            let answer = self.wire.post(CHAT, request.whole()).await?;
            let whole =
                chat::completion(&self.wire.read_whole(answer, JSON_CAP).await?, &self.wire.redactor)?;
            whole.usage.iter().for_each(|usage| self.keep.account.add(usage));
            Ok(whole)
        };
        done.await.map_err(|failure: Failure| failure.fault)
    }

    /// Sends a chat and gives its answer as it comes. Waits for the answer's begin at most `timeouts.idle_stream`.
    ///
    /// # Errors
    /// As [`Self::chat`], for what fails before the first chunk; later faults come out of the stream.
    ///
    /// # Cancel safety
    /// As [`Self::chat`].
    pub async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream, Fault> {
        let (request, _) = self.addressed(request)?;
        self.open_chat(&request).await.map_err(|failure| failure.fault)
    }

    /// Makes embeddings. A request without a model goes to the first embedding model of the backend.
    ///
    /// # Errors
    /// As [`Self::chat`].
    ///
    /// # Cancel safety
    /// As [`Self::chat`].
    pub async fn embeddings(&self, request: EmbedRequest) -> Result<Embeddings, Fault> {
        let (request, _) = self.addressed(request)?;
        let (embeddings, _) = self.embed(&request).await.map_err(|failure| failure.fault)?;
        Ok(embeddings)
    }

    /// The models that the server offers now. Free of cost.
    ///
    /// # Errors
    /// By the answer's status; [`Code::Protocol`] for an answer that is no list.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn models(&self) -> Result<Vec<Model>, Fault> {
        let _flight = self.wire.tie.fly();
        self.refresh(self.wire.target.timeouts.request).await?;
        Ok(self.wire.offer.borrow().models.clone())
    }

    pub(super) fn tie(&self) -> &Tie {
        &self.wire.tie
    }

    pub(super) fn running(&self) -> &Running {
        &self.running
    }

    pub(super) fn offer_changes(&self) -> watch::Receiver<Arc<Offer>> {
        self.wire.offer.subscribe()
    }

    pub(super) fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    pub(super) fn identity(&self) -> Identity {
        let offer = Offer::clone(&self.wire.offer.borrow());
        Found { version: self.version.clone(), title: self.title.clone(), offer }.identity()
    }

    /// The request with a model, and the name of the model where we chose it.
    pub(super) fn addressed<R: Addressed>(&self, request: R) -> Result<(R, Option<String>), Fault> {
        if request.names_a_model() {
            return Ok((request, None));
        }
        let offer = self.wire.offer.borrow();
        let Some(model) = offer.first(R::MODE) else {
            let place = &self.wire.target.id;
            let message = format!("the request names no `model`, and {place} lists none for it");
            return Err(Fault::new(Code::BadRequest, message).with_fix("Name a `model` in the request."));
        };
        Ok((request.with_model(&model.id), Some(model.id.clone())))
    }

    /// Opens the stream of a chat. A server that refuses to be asked for the usage is asked without it: what is refused
    /// has not run.
    pub(super) async fn open_chat(&self, request: &ChatRequest) -> Result<ChatStream, Failure> {
        let flight = self.wire.tie.fly();
        let opened = match self.wire.post(CHAT, request.streamed(AskUsage::Yes)).await {
            Err(failure) if request.leaves_usage_to_us() && is_about_usage(&failure) => {
                self.wire.post(CHAT, request.streamed(AskUsage::No)).await
            }
            opened => opened,
        };
        let answer = opened?;
        let line = Line {
            idle: self.wire.target.timeouts.idle_stream,
            tie: self.wire.tie.clone(),
            redactor: self.wire.redactor.clone(),
            manners: if Seam::kind(self) == Kind::Openai { Manners::Either } else { Manners::Both },
            tab: self.keep.account.tab(),
            flight,
        };
        ChatStream::new(answer, line)
    }

    /// Embeddings, and the answer as it came.
    pub(super) async fn embed(&self, request: &EmbedRequest) -> Result<(Embeddings, Bytes), Failure> {
        let _flight = self.wire.tie.fly();
        let answer = self.wire.post(EMBEDDINGS, request.body()).await?;
        let body = self.wire.read_whole(answer, LIST_CAP).await?;
        let wrong = |why: &str| {
            Failure::new(
                Fate::Unknown,
                Fault::new(Code::Protocol, format!("the answer has no embeddings: {why}")),
            )
        };
        let embeddings: Embeddings = serde_json::from_slice(&body).map_err(|e| wrong(&e.to_string()))?;
        embeddings.usage.iter().for_each(|usage| self.keep.account.add(usage));
        if embeddings.data.is_empty() { Err(wrong("no `data`")) } else { Ok((embeddings, body)) }
    }
}

fn is_about_usage(failure: &Failure) -> bool {
    let named = |text: &str| text.contains("stream_options") || text.contains("include_usage");
    let fault = &failure.fault;
    fault.code() == Code::BadRequest && (named(fault.message()) || fault.detail().is_some_and(named))
}

impl Seam for Session {
    fn backend(&self) -> &BackendId {
        &self.wire.target.id
    }

    fn kind(&self) -> Kind {
        self.wire.target.kind
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            can_choose_id: false,
            can_look_up: false,
            can_cancel_by_id: true,
            survives_disconnect: false,
            survives_backend_restart: false,
        }
    }

    fn probe(&self) -> BoxFuture<'_, Result<Pulse, Fault>> {
        Box::pin(async {
            let limit = self.wire.target.timeouts.request;
            self.look(limit).await?;
            let (tokens, loaded) = (Some(self.keep.account.of_backend()), self.resident(limit).await);
            Ok(Pulse { tokens, loaded, ..Pulse::default() })
        })
    }

    fn observe(&self) -> BoxFuture<'_, Result<Option<Identity>, Fault>> {
        Box::pin(async { self.whole().await.map(Some) })
    }

    fn in_flight(&self) -> usize {
        self.wire.tie.in_flight()
    }

    fn end(&self, why: Fault) {
        self.wire.tie.end(why);
    }

    fn ended(&self) -> Option<Fault> {
        self.wire.tie.ended()
    }

    fn run(
        self: Arc<Self>,
        attempt: Attempt,
        sink: Arc<dyn Sink>,
    ) -> BoxFuture<'static, Result<Finished, Setback>> {
        Box::pin(async move { run::run(&self, attempt, &*sink).await })
    }

    fn preflight<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Result<Fitness, Fault>> {
        Box::pin(fit::fit(self, work))
    }

    fn cancel(&self, remote: String) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(async move { self.running.cancel(&remote) })
    }

    fn fetch(&self, file: RemoteFile, from: u64) -> BoxFuture<'_, Result<Download, Fault>> {
        Box::pin(fetch::fetch(&self.wire, &self.keep.stash, file, from))
    }
}
