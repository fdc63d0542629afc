//! The causes that Backline can name, and what each means for what happens next.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The class of a cause: what a caller's program branches on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are the contract's")]
pub enum Class {
    Usage,
    Config,
    Auth,
    NotFound,
    Conflict,
    Busy,
    Unreachable,
    Backend,
    Protocol,
    Timeout,
    Uncertain,
    Lost,
    Internal,
}

/// What the connection does about a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Course {
    /// Time may mend it: try again with backoff.
    Retry,
    /// A person has to: park, show the remedy, and re-check slowly.
    Park,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $class:ident, $course:ident;)*) => {
        /// A cause with a name that stays the same in the API, the logs and `backline explain`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl Code {
            /// Every cause.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in the API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Its class.
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }

            /// What a connection does about it.
            pub const fn course(self) -> Course {
                match self { $(Self::$name => Course::$course,)* }
            }
        }
    };
}

codes! {
    /// Nothing listens at the address.
    ConnectionRefused = "connection_refused", Unreachable, Retry;
    /// Nothing listens there, and the address means the container in which Backline runs.
    ContainerLoopback = "container_loopback", Unreachable, Retry;
    /// The other side ended the connection without an answer.
    ConnectionReset = "connection_reset", Unreachable, Retry;
    /// The live channel ended.
    ConnectionClosed = "connection_closed", Unreachable, Retry;
    /// No route to the host.
    NoRoute = "no_route", Unreachable, Retry;
    /// The host's name does not resolve.
    Dns = "dns", Unreachable, Retry;
    /// The TLS handshake failed.
    Tls = "tls", Config, Park;
    /// No connection within the time-out.
    ConnectTimeout = "connect_timeout", Timeout, Retry;
    /// No answer within the time-out.
    RequestTimeout = "request_timeout", Timeout, Retry;
    /// Connected, but silent past every deadline.
    Hang = "hang", Timeout, Retry;
    /// Another program answers at the address.
    WrongProgram = "wrong_program", Config, Park;
    /// The server is of a version whose protocol is not spoken here.
    VersionUnsupported = "version_unsupported", Config, Park;
    /// The address cannot be used.
    BadUrl = "bad_url", Config, Park;
    /// A setting cannot be used (a secret's file is missing, a header is no header).
    BadConfig = "bad_config", Config, Park;
    /// The backend wants a key or a log-in, and none is configured.
    AuthRequired = "auth_required", Auth, Park;
    /// The backend refuses the key or the log-in.
    AuthWrong = "auth_wrong", Auth, Park;
    /// The backend refuses this client (HTTP 403), key or not.
    Forbidden = "forbidden", Auth, Park;
    /// An answer that breaks the protocol.
    Protocol = "protocol", Protocol, Retry;
    /// An answer larger than the cap.
    TooLarge = "too_large", Protocol, Retry;
    /// A stream that ended without its end marker.
    Truncated = "truncated", Protocol, Retry;
    /// The backend answered with a fault of its own (HTTP 5xx).
    BackendError = "backend_error", Backend, Retry;
    /// The backend runs, and is still starting or loading.
    Loading = "loading", Busy, Retry;
    /// Its queue is full.
    QueueFull = "queue_full", Busy, Retry;
    /// It limits the rate of requests.
    RateLimited = "rate_limited", Busy, Retry;
    /// The backend ran out of memory.
    OutOfMemory = "out_of_memory", Backend, Retry;
    /// The request is wrong: the caller's own mistake.
    BadRequest = "bad_request", Usage, Retry;
    /// ComfyUI refuses the workflow.
    InvalidWorkflow = "invalid_workflow", Usage, Retry;
    /// The workflow uses a node that the ComfyUI does not have.
    MissingNode = "missing_node", NotFound, Retry;
    /// The backend has no model of that name.
    MissingModel = "missing_model", NotFound, Retry;
    /// The workflow is in the editor's format, not in the API's.
    EditorWorkflow = "editor_workflow", Usage, Retry;
    /// The backend has no such function, model, node or file.
    NotFound = "not_found", NotFound, Retry;
    /// The work ran and failed on the backend.
    ExecutionFailed = "execution_failed", Backend, Retry;
    /// The work was cancelled.
    Cancelled = "cancelled", Conflict, Retry;
    /// The work is gone: its backend restarted and forgot it.
    Lost = "lost", Lost, Retry;
    /// The work was not done within its deadline.
    JobTimeout = "timeout", Timeout, Retry;
    /// No backend took the work while it was to wait.
    Expired = "expired", Timeout, Retry;
    /// An idempotency key stands for another request already.
    KeyConflict = "key_conflict", Conflict, Retry;
    /// The journal holds as many open jobs as it may.
    JournalFull = "journal_full", Busy, Retry;
    /// Nobody can say whether the work ran.
    Uncertain = "uncertain", Uncertain, Retry;
    /// A bug of ours: the connection's actor crashed and was restarted.
    Crashed = "crashed", Internal, Retry;
    /// The actor kept crashing and is quarantined.
    CrashLoop = "crash_loop", Internal, Park;
    /// Backline is shutting down.
    Closing = "closing", Conflict, Retry;
    /// The connection was paused by a person.
    Paused = "paused", Conflict, Retry;
    /// No backend became ready, or no slot free, within the time that the caller gave.
    Unavailable = "unavailable", Busy, Retry;
    /// A proxy between us and the backend answers in its place.
    ProxyInTheWay = "proxy_in_the_way", Unreachable, Retry;
    /// A file or disk of ours refuses.
    Disk = "disk", Internal, Retry;
    /// The configuration file is broken; the configuration before it stays.
    ConfigInvalid = "config_invalid", Config, Retry;
    /// A change of the configuration file has no effect: an edit or the environment stands over it.
    ConfigMasked = "config_masked", Config, Retry;
    /// A configured backend's server seems to be at another address now.
    BackendMoved = "backend_moved", Unreachable, Retry;
    /// A server was found that is no backend yet.
    BackendFound = "backend_found", Config, Retry;
    /// The disk refuses the state database.
    DiskTrouble = "disk_trouble", Internal, Retry;
    /// The disk of the state database is full.
    DiskFull = "disk_full", Internal, Retry;
    /// The state database was damaged; what could be read was kept.
    StateSalvaged = "state_salvaged", Internal, Retry;
    /// Samples of the history were dropped.
    HistoryDropped = "history_dropped", Internal, Retry;
    /// The files of jobs take most of their budget, or all of it.
    OutputsBudget = "outputs_budget", Internal, Retry;
    /// The backend's version has known security holes.
    VersionVulnerable = "version_vulnerable", Backend, Retry;
    /// The backend's version is older than any that Backline was tried with.
    VersionOld = "version_old", Backend, Retry;
    /// The connection comes and goes.
    Flapping = "flapping", Unreachable, Retry;
    /// Another backend, which this one needs, is not ready.
    DependencyDown = "dependency_down", Unreachable, Retry;
    /// The backend's live channel does not tell everything.
    ChannelDegraded = "channel_degraded", Backend, Retry;
    /// The webhook of the notices takes none.
    WebhookFailing = "webhook_failing", Unreachable, Retry;
    /// Probes take longer than a person's limit.
    LatencyHigh = "latency_high", Backend, Retry;
    /// The backend's queue is longer than a person's limit.
    QueueLong = "queue_long", Busy, Retry;
    /// More probes fail than a person's limit allows.
    SuccessLow = "success_low", Backend, Retry;
    /// The backend's card has less free memory than a person's limit.
    VramLow = "vram_low", Backend, Retry;
    /// The wall clock jumped.
    ClockJump = "clock_jump", Internal, Retry;
    /// A bug of ours.
    Internal = "internal", Internal, Retry;
}

impl Code {
    /// Whether the same request may succeed later without a change.
    pub const fn is_retryable(self) -> bool {
        matches!(self.class(), Class::Unreachable | Class::Busy | Class::Timeout)
            || matches!(self, Self::BackendError | Self::OutOfMemory | Self::Crashed)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
