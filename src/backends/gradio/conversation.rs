//! Several calls in one session of the app, so that what it keeps in a `gr.State` is kept.

use std::sync::Arc;

use futures_util::FutureExt;
use http::{Method, StatusCode, header};
use reqwest::Response;
use serde::Serialize;
use serde_json::value::to_raw_value;
use tokio::sync::Mutex;

use crate::{
    backends::{
        Attempt, Finished, Past, Session as _, Setback, Sink, Start,
        gradio::{refusal::Refusal, session::Session},
    },
    connection::Lease,
    model::{Code, Fault, Work},
};

/// Several calls in one session of the app: what a function keeps in a `gr.State` the next one finds.
///
/// The calls go one after the other, each with its own stream. A heartbeat of the session's own is held meanwhile: the
/// app gives the states up when it ends (4.44.1, 5.29.0, 6.31.0), which is when this is dropped. The states do not
/// survive the app, nor the connection: a conversation that lost them says so, and never goes on with fresh ones.
pub struct Conversation {
    session: Arc<Session>,
    #[expect(dead_code, reason = "held for its drop")]
    lease: Option<Lease<Session>>,
    hash: String,
    /// Also the turn: who holds it calls.
    beat: Mutex<Beat>,
}

/// The heartbeat of a conversation.
enum Beat {
    Held(Box<Response>),
    /// The app has none, and keeps the states as long as it lives.
    None,
    Over,
}

impl Session {
    /// Begins a conversation. The caller holds the lease as long as it lasts; [`Conversation::open`] does it for him.
    ///
    /// # Errors
    /// The network's, and the app's own.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn converse(self: &Arc<Self>) -> Result<Conversation, Fault> {
        let hash = uuid::Uuid::new_v4().hyphenated().to_string();
        let route = format!("heartbeat/{hash}");
        let request = self.request(Method::GET, &route).header(header::ACCEPT, "text/event-stream");
        let answer = self.bounded(self.limit(), self.http().send(request, self.limit())).await?;
        let beat = match answer.status() {
            StatusCode::OK => Beat::Held(Box::new(answer)),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Beat::None,
            _ => return Err(Refusal::of(answer).await.fault),
        };
        Ok(Conversation { session: self.clone(), lease: None, hash, beat: Mutex::new(beat) })
    }
}

impl Conversation {
    /// Begins a conversation that holds its lease.
    ///
    /// # Errors
    /// As [`Session::converse`].
    ///
    /// # Cancel safety
    /// Safe; the lease is given back.
    pub async fn open(lease: Lease<Session>) -> Result<Self, Fault> {
        let talk = lease.session().clone().converse().await?;
        Ok(Self { lease: Some(lease), ..talk })
    }

    /// Calls a function by name or index, with its arguments as a list by position or an object by name. It waits for
    /// the call before it.
    ///
    /// # Errors
    /// [`Setback::Refused`] with [`Code::Lost`] where the app has given up the states; else as a job's attempt ends. A
    /// call that is [`Setback::Adrift`] or [`Setback::Uncertain`] may have changed them.
    ///
    /// # Cancel safety
    /// Dropping the future drops the call's stream: a generator is closed, a queued call removed, a plain function runs
    /// on unseen.
    pub async fn call(
        &self,
        function: &str,
        data: &impl Serialize,
        sink: Arc<dyn Sink>,
    ) -> Result<Finished, Setback> {
        let bad = |e| Fault::new(Code::BadRequest, format!("the arguments cannot be written as JSON: {e}"));
        let data = to_raw_value(data).map_err(|e| Setback::Refused(bad(e)))?.into();
        let mut beat = self.beat.lock().await;
        if !beat.goes_on() {
            let message =
                format!("{} has given up what it kept for this conversation", self.session.backend());
            let fault = Fault::new(Code::Lost, message).with_fix("Begin a new conversation.");
            return Err(Setback::Refused(fault));
        }
        let work = Work::Call { function: function.to_owned(), data };
        let attempt = Attempt { work, remote: self.hash.clone(), start: Start::Fresh, past: Past::default() };
        self.session.clone().run(attempt, sink).await
    }

    /// Cancels the call under way, and nothing else; what it was called with ends as [`Setback::Cancelled`].
    ///
    /// # Errors
    /// [`Code::NotFound`] where there is none.
    ///
    /// # Cancel safety
    /// Safe: the app may be told or not.
    pub async fn cancel(&self) -> Result<(), Fault> {
        self.session.cancel(self.hash.clone()).await
    }

    /// The `session_hash` under which the app knows it.
    pub fn id(&self) -> &str {
        &self.hash
    }
}

impl Beat {
    /// Whether the app still holds the states, as far as has been heard.
    fn goes_on(&mut self) -> bool {
        while let Self::Held(answer) = self {
            match answer.chunk().now_or_never() {
                None => return true,
                Some(Ok(Some(_))) => {}
                Some(Ok(None) | Err(_)) => *self = Self::Over,
            }
        }
        matches!(self, Self::None)
    }
}

impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation")
            .field("backend", self.session.backend())
            .field("id", &self.hash)
            .finish()
    }
}
