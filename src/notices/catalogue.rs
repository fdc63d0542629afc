//! The catalogue: for each cause a plain title, the likely reason, and what to do.

use crate::model::Code;

/// What a person is told of a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The cause in a few words.
    pub title: &'static str,
    /// The likely reason, one sentence.
    pub likely: &'static str,
    /// What to do, one sentence.
    pub fix: &'static str,
}

macro_rules! entry {
    ($title:literal, $likely:literal, $fix:literal) => {
        Entry { title: $title, likely: $likely, fix: $fix }
    };
}

/// The entry of a cause; every cause has one.
pub const fn entry(code: Code) -> Entry {
    match code {
        Code::ConnectionRefused => entry!(
            "Nothing is listening",
            "The server is not running, or it listens on another port.",
            "Start the server, or correct the port; Backline connects by itself as soon as it listens."
        ),
        Code::ConnectionReset => entry!(
            "The connection was cut",
            "The server crashed or was stopped in the middle of an answer, or something between cut the line.",
            "Look at the server's own log; Backline reconnects by itself."
        ),
        Code::ConnectionClosed => entry!(
            "The server closed the channel",
            "The server was stopped or restarted.",
            "Nothing to do if it is restarting; otherwise start it again. Backline reconnects by itself."
        ),
        Code::NoRoute => entry!(
            "No route to the host",
            "The machine is off or asleep, or the network is down.",
            "Wake the machine and check the network; Backline reconnects by itself."
        ),
        Code::Dns => entry!(
            "The host's name does not resolve",
            "The name is misspelt, or the name server is out of reach.",
            "Correct the host in `url`, or use its IP address."
        ),
        Code::Tls => entry!(
            "The TLS handshake failed",
            "The certificate is expired, self-signed or for another name, or the port does not speak TLS.",
            "Name the authority's certificate in `tls: (ca: \"FILE\")`, or use http:// where the server has no TLS."
        ),
        Code::ConnectTimeout => entry!(
            "No connection in time",
            "A firewall drops the packets, or the machine is overloaded or asleep.",
            "Check the address and the firewall; raise `timeouts: (connect: …)` for a slow network."
        ),
        Code::RequestTimeout => entry!(
            "No answer in time",
            "The server is busy or hangs.",
            "Look at the server's load and log; raise `timeouts: (request: …)` if it is only slow."
        ),
        Code::Hang => entry!(
            "The server hangs",
            "Its process is stopped, swapping or blocked: it takes connections and answers nothing.",
            "Look at its process; restart it if it does not come back. Backline reconnects by itself."
        ),
        Code::WrongProgram => entry!(
            "Another program answers there",
            "The port belongs to another server.",
            "Correct `url` or `kind`; `backline discover` lists what runs where."
        ),
        Code::BadUrl => entry!(
            "The address cannot be used",
            "It is no http or https address, or it carries a user or a query.",
            "Write it like \"http://127.0.0.1:8188\"."
        ),
        Code::BadConfig => entry!(
            "A setting cannot be used",
            "A named variable or file is missing, or a value has the wrong form.",
            "Correct the setting that the message names; `backline config check` lists every problem."
        ),
        Code::AuthRequired => entry!(
            "It wants a key or a log-in",
            "The server is protected, and none is configured.",
            "Set `api_key: \"env:NAME\"` (or `login: (\"USER\", \"env:NAME\")` for a Gradio app)."
        ),
        Code::AuthWrong => entry!(
            "The key or log-in is refused",
            "It is wrong, expired, or for another server.",
            "Correct `api_key` or `login`; then `backline test ID`."
        ),
        Code::Forbidden => entry!(
            "The server refuses this client",
            "A rule of the server or of a proxy before it forbids the request.",
            "Check the server's allowed hosts and origins, and the proxy's rules."
        ),
        Code::Protocol => entry!(
            "An answer breaks the protocol",
            "The version is unknown to Backline, or something between changes the answers.",
            "Update the server or Backline; `--log-format json` with target `wire` shows what came."
        ),
        Code::TooLarge => entry!(
            "An answer is too large",
            "The answer is over Backline's cap for its kind.",
            "Ask for less (a smaller workflow, fewer results); the cap protects your machine."
        ),
        Code::Truncated => entry!(
            "The answer stopped in the middle",
            "The stream ended without its end marker; what came is incomplete.",
            "Send it again; look at the server's log for why it stopped."
        ),
        Code::BackendError => entry!(
            "The server reports an error of its own",
            "Something failed inside the server.",
            "Look at the server's log at this time."
        ),
        Code::Loading => entry!(
            "The server is still starting",
            "It loads a model or its program.",
            "Wait; Backline connects by itself when it is ready."
        ),
        Code::QueueFull => entry!(
            "Its queue is full",
            "Others have filled the server's queue.",
            "Wait, or raise the queue's size at the server."
        ),
        Code::RateLimited => entry!(
            "It limits the rate",
            "More requests than the server or its provider allows.",
            "Wait as long as it says, or raise the limit at the provider."
        ),
        Code::OutOfMemory => entry!(
            "Out of memory",
            "The work needs more memory than the card or the machine has free.",
            "Use a smaller size, batch or model, or close what else uses the card."
        ),
        Code::BadRequest => entry!(
            "The request is wrong",
            "A parameter is missing, misspelt or of the wrong form.",
            "Correct what the message names; nothing was run."
        ),
        Code::InvalidWorkflow => entry!(
            "ComfyUI refuses the workflow",
            "A node is missing on this server, or an input is wrong.",
            "Correct the nodes that are named, or install what is missing; nothing was run."
        ),
        Code::EditorWorkflow => entry!(
            "The workflow is in the editor's format",
            "The file was saved with `Save`, not exported for the API.",
            "In ComfyUI choose Workflow > Export (API) and submit that file."
        ),
        Code::NotFound => entry!(
            "The server has no such thing",
            "The name is misspelt, or this server lacks it.",
            "Choose one of the names that the message lists, or another server."
        ),
        Code::ExecutionFailed => entry!(
            "The work failed on the server",
            "The server ran it and reported an error.",
            "Read its message; correct the input or look at the server's log."
        ),
        Code::Cancelled => {
            entry!(
                "Cancelled",
                "Somebody cancelled it.",
                "Nothing to do; submit it again if that was a mistake."
            )
        }
        Code::Lost => entry!(
            "The server forgot the work",
            "The server was restarted and keeps its queue only in memory.",
            "Submit it again."
        ),
        Code::Uncertain => entry!(
            "Nobody can say whether it ran",
            "The connection was lost after sending, and this kind of server cannot be asked.",
            "Look at the server for a result before you submit it again."
        ),
        Code::Crashed => entry!(
            "Backline's own connection crashed",
            "A bug of Backline; the supervision tree has restarted the connection.",
            "Nothing to do; report it with `backline doctor --bundle FILE` if it repeats."
        ),
        Code::CrashLoop => entry!(
            "Quarantined after repeated crashes",
            "A bug of Backline that this server's answers provoke.",
            "Report it; `reconnect` (or a changed configuration) tries again, as does Backline after 10 minutes."
        ),
        Code::Closing => entry!("Shutting down", "Backline is stopping.", "Start Backline again."),
        Code::Paused => {
            entry!("Paused", "A person paused this backend.", "Resume it when it should work again.")
        }
        Code::Unavailable => entry!(
            "Nothing is free or ready in time",
            "The backend is down or all its slots are taken.",
            "See the reason that the message names; wait longer, or start the backend."
        ),
        Code::ProxyInTheWay => entry!(
            "A proxy answers in its place",
            "Something between (nginx, a tunnel, a company proxy) answers for a server that it cannot reach.",
            "Look at the proxy's own upstream setting, or connect to the server directly."
        ),
        Code::Disk => entry!(
            "A file cannot be written",
            "The disk is full, or the directory forbids it.",
            "Free space or correct the rights; then try again."
        ),
        Code::ConfigInvalid => entry!(
            "The configuration file is broken",
            "It was saved with a mistake; the configuration before it stays in force.",
            "Correct what the detail lists; `backline config check` lists it too. A good file is taken over at once."
        ),
        Code::ConfigMasked => entry!(
            "A change of the file has no effect",
            "The value was changed through the API, or an environment variable sets it, and that stands over the file.",
            "Revert the edit or unset the variable that the message names, or leave it; `backline config show` names every value's source."
        ),
        Code::BackendMoved => entry!(
            "The server seems to have moved",
            "It does not answer at its configured address, and one like it answers at another.",
            "If it is the same server, set `url` to the address that the message names; Backline never moves a configured backend by itself."
        ),
        Code::BackendFound => entry!(
            "A server was found",
            "It runs on an address that is swept, and no backend is configured for it.",
            "Add it as a backend, or dismiss this; `backline discover` lists what runs where."
        ),
        Code::DiskTrouble => entry!(
            "The state cannot be written",
            "The disk or the rights of the state directory refuse it; Backline works on, and tries again.",
            "Check the disk and the rights of the state directory; nothing else is needed once it can be written."
        ),
        Code::DiskFull => entry!(
            "The disk is full",
            "No space is left on the disk of the state directory; Backline works on, and tries again.",
            "Free space on that disk, or set BACKLINE_STATE_DIR to another one."
        ),
        Code::StateSalvaged => entry!(
            "The state database was damaged",
            "The disk or a crash of the machine damaged it; a copy was set aside and what could be read was kept.",
            "Read what was lost in the detail; check the disk. The copy that was set aside can be removed."
        ),
        Code::HistoryDropped => entry!(
            "Samples of the history were dropped",
            "The disk is slower than the samples come, or refuses them; nothing else waits for them.",
            "Check the disk's load; charts have a gap here, and all else is complete."
        ),
        Code::VersionVulnerable => entry!(
            "The server's version has known security holes",
            "It is older than the release that closes them.",
            "Update the server to the version that the message names; until then let only trusted machines reach it."
        ),
        Code::Flapping => entry!(
            "The connection comes and goes",
            "The server crashes and is restarted again and again, or the network between is bad.",
            "Look at the server's own log around these times, and at the network; it ends by itself once a session holds."
        ),
        Code::ChannelDegraded => entry!(
            "The live channel does not tell everything",
            "Something between (a proxy without WebSockets, a buffering one) holds events back; state is read by polling.",
            "Let the proxy pass WebSockets and unbuffered event streams, or connect to the server directly."
        ),
        Code::ClockJump => entry!(
            "The clock jumped",
            "The machine slept, or its clock was set.",
            "Nothing to do if the machine slept; otherwise check its time service. Times shown across the jump do not compare."
        ),
        Code::Internal => entry!(
            "A bug of Backline",
            "Something happened that cannot.",
            "Report it with `backline doctor --bundle FILE`."
        ),
    }
}
