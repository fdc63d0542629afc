//! A live, identified connection to a backend, and what every kind of it can be asked.

use std::{any::Any, sync::Arc};

use bytes::Bytes;
use futures_util::{future::BoxFuture, stream::BoxStream};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    backends::{Fitness, Sink},
    model::{
        BackendId, Fault, Identity, Kind, Work,
        status::{Resources, Tokens},
    },
};

/// What a kind lets us promise of a job, as data: the guarantee follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abilities {
    /// The client chooses the id of a job.
    pub can_choose_id: bool,
    /// A job can be looked up by its id.
    pub can_look_up: bool,
    /// A job can be cancelled by its id without touching others.
    pub can_cancel_by_id: bool,
    /// A job goes on when its connection drops.
    pub survives_disconnect: bool,
    /// A job, or its result, is still there after the backend restarted.
    pub survives_backend_restart: bool,
}

/// How an attempt begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Send the work.
    Fresh,
    /// The work may be there already: look it up under its id and follow it. Never sends it.
    Follow,
}

/// How far an execution had come, by what the journal has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Seen {
    /// It was to be sent, or was sent without an answer.
    #[default]
    Nothing,
    /// The backend had it.
    Arrived,
    /// What can be opened once was about to be opened ([`Sink::opening`]).
    Opened,
}

/// What is known of an execution beside what its session remembers: good also where another process of ours sent it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Past {
    /// The backend's start that it was sent to, as [`Session::boot`] named it; `None` where that is not known.
    pub boot: Option<String>,
    /// How far it had come.
    pub seen: Seen,
}

/// One execution of a piece of work, begun or taken up again.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// What to do.
    pub work: Work,
    /// Our own id for this execution, chosen before anything is sent: ComfyUI's `prompt_id`, Gradio's
    /// `session_hash`. A lower-case hyphenated UUID.
    pub remote: String,
    /// Whether it is sent or followed.
    pub start: Start,
    /// What is known of it from before.
    pub past: Past,
}

/// One file that a finished attempt left at the backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteFile {
    /// The name that the backend gave: data, never a path.
    pub name: String,
    /// The media type that the backend claims.
    pub claimed_type: Option<String>,
    /// Where in the result it stands (`9/images/0`): unique within the attempt.
    pub slot: String,
    /// What [`Session::fetch`] needs to find it, in the kind's own form.
    pub locator: String,
}

/// What came of an attempt that ended well.
#[derive(Debug, Clone, Default)]
pub struct Finished {
    /// Files to fetch.
    pub files: Vec<RemoteFile>,
    /// The backend's result document.
    pub result: Option<Arc<RawValue>>,
    /// What a person should know ("served from ComfyUI's cache").
    pub notes: Vec<String>,
}

/// Why an attempt stopped short of a good end, and what is known of the execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Setback {
    /// Provably never arrived, or refused before it ran: sending it again is safe. The fault's code says whether that
    /// makes sense (`queue_full`) or not (`invalid_workflow`).
    Refused(Fault),
    /// Nothing of it was sent: what comes before (its files, a connection) went wrong. Sending it is safe; the fault's
    /// code says whether that makes sense.
    Unsent(Fault),
    /// It ran and failed. Final.
    Failed(Fault),
    /// It was cancelled. Final.
    Cancelled,
    /// The session ended; the execution may go on. Follow it on the next session.
    Adrift(Fault),
    /// The backend that ran it is provably gone, and with it the execution.
    Gone {
        /// How we know.
        evidence: Fault,
        /// Whether we watched it without a gap up to the end of the backend, unfinished.
        unfinished: bool,
    },
    /// Nobody can say whether it ran. Final unless a person decides.
    Uncertain(Fault),
}

/// A file on its way from a backend.
pub struct Download {
    /// The whole size, where the backend says.
    pub total: Option<u64>,
    /// Where the first byte of `bytes` stands; 0 where the backend cannot resume.
    pub offset: u64,
    /// The bytes; capped by the reader.
    pub bytes: BoxStream<'static, Result<Bytes, Fault>>,
}

/// What a probe learned, without cost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pulse {
    /// Jobs in the backend's own queue, where it tells.
    pub queue: Option<crate::model::status::Queue>,
    /// Memory, where it tells.
    pub resources: Resources,
    /// Tokens that our requests used since the backend was set up, where its answers tell.
    pub tokens: Option<Tokens>,
    /// Models that it has loaded, where it tells.
    pub loaded: Option<Vec<String>>,
}

/// A live, identified connection to a backend. It is not `Clone`: it is shared by leases, which count.
///
/// Each method is bounded by the backend's time-outs and fails at once with the fault of [`Session::end`] when the
/// session is over.
pub trait Session: Any + Send + Sync {
    /// The backend.
    fn backend(&self) -> &BackendId;

    /// Its kind: `wan2gp` where a configured `gradio` turned out to be one.
    fn kind(&self) -> Kind;

    /// What can be promised of its jobs.
    fn abilities(&self) -> Abilities;

    /// A name for the backend's present start, where it has one or can be given one: that of an execution is written
    /// down before it is sent, so that its absence later can be told from that of a backend that was restarted.
    /// Default: it has none.
    ///
    /// # Cancel safety
    /// Safe.
    fn boot(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(std::future::ready(None))
    }

    /// Asks whether the backend lives, by its cheapest request; never one that generates or costs.
    ///
    /// # Cancel safety
    /// Safe.
    fn probe(&self) -> BoxFuture<'_, Result<Pulse, Fault>>;

    /// Looks at the whole of what the backend is and offers, at no cost for it but the look. `None` where a dial has
    /// seen all that there is.
    ///
    /// # Cancel safety
    /// Safe: it changes nothing.
    fn observe(&self) -> BoxFuture<'_, Result<Option<Identity>, Fault>> {
        Box::pin(async { Ok(None) })
    }

    /// Another session of the same server learned this by its probe: one prober is enough for both.
    fn overhear(&self, _pulse: &Pulse) {}

    /// Clears the memory of its card: models that are loaded are to be loaded again at need. Default: it cannot.
    ///
    /// # Cancel safety
    /// Safe; what was asked may still be done.
    fn unload(&self) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Operations of ours under way at the backend. While there are any, silence does not end the session.
    fn in_flight(&self) -> usize;

    /// Ends the session: what waits on it fails with `why`, and nothing new begins. Idempotent, at once.
    fn end(&self, why: Fault);

    /// Why it ended, once it has.
    fn ended(&self) -> Option<Fault>;

    /// Runs or follows one piece of work to its end.
    ///
    /// # Cancel safety
    /// Dropping the future stops watching; what runs at the backend goes on where the kind lets it
    /// ([`Abilities::survives_disconnect`]).
    fn run(
        self: Arc<Self>,
        attempt: Attempt,
        sink: Arc<dyn Sink>,
    ) -> BoxFuture<'static, Result<Finished, Setback>>;

    /// Whether the backend could run this work, by what it says of itself; nothing is queued, nothing costs. By default
    /// it cannot be said.
    ///
    /// # Cancel safety
    /// Safe.
    fn preflight<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Result<Fitness, Fault>> {
        let _ = work;
        Box::pin(async { Ok(Fitness::unsaid("this kind of backend does not say what it can run")) })
    }

    /// Cancels the execution with this id, and no other.
    fn cancel(&self, remote: String) -> BoxFuture<'_, Result<(), Fault>>;

    /// Reads a file of a finished attempt, from byte `from` on where the backend can.
    fn fetch(&self, file: RemoteFile, from: u64) -> BoxFuture<'_, Result<Download, Fault>>;
}

impl dyn Session {
    /// The session as its own type, or itself where it is another.
    pub fn downcast<S: Session>(self: Arc<Self>) -> Result<Arc<S>, Arc<Self>> {
        if (*self).type_id() != std::any::TypeId::of::<S>() {
            return Err(self);
        }
        let any: Arc<dyn Any + Send + Sync> = self;
        Ok(any.downcast::<S>().unwrap_or_else(|_| unreachable!("the type was just compared")))
    }
}
