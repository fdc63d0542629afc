//! Causes between us and a server: it cannot be reached, or not well.

use super::Entry;
use crate::model::{
    Kind::{Comfyui, Gradio, Litellm, Openai, Wan2gp},
    Severity::{Error, Info, Warning},
};

pub(super) const CONNECTION_REFUSED: Entry = Entry::new(
    "Nothing is listening",
    Error,
    &[
        "The server is not running.",
        "It listens on another port, or only on another address of its machine.",
        "It is still starting: most servers listen only once their models' program is loaded.",
    ],
    "Start the server, or correct the port; Backline connects by itself as soon as it listens.",
)
.steps(&[
    "Start the server, and wait until it says that it listens.",
    "Run `backline discover`: it finds the server if it runs on this machine, on whatever port.",
    "If it runs elsewhere or on another port, correct `url` in the configuration.",
    "On another machine the server has to listen on more than its own loopback address.",
])
.advice(&[
    (Comfyui, "`python main.py` listens on 127.0.0.1:8188; `--port` moves it, `--listen` opens it to the network."),
    (Gradio, "An app listens on the first free port from 7860 on; `GRADIO_SERVER_PORT` fixes it."),
    (Wan2gp, "`python wgp.py` listens on 7860; with `--mcp` it serves MCP alone, by default on 8000."),
    (Litellm, "`litellm --config FILE --port 4000` needs up to a minute before it listens; without a strong master key it ends again."),
    (Openai, "Ollama listens on 11434, LM Studio on 1234, llama.cpp on 8080, vLLM on 8000."),
]);

pub(super) const CONTAINER_LOOPBACK: Entry = Entry::new(
    "The address means this container itself",
    Error,
    &[
        "Backline runs in a container, where 127.0.0.1 and localhost are the container and not the machine around it.",
        "The server that is meant runs on that machine, or in another container.",
    ],
    "Write the machine's name in `url`: \"http://host.docker.internal:PORT\" in Docker, \"http://host.containers.internal:PORT\" in Podman, or the other container's name.",
)
.steps(&[
    "Let the server listen on more than its own loopback address, or the container cannot reach it.",
    "On Linux start the container with `--add-host host.docker.internal:host-gateway`, or with `--network host`.",
    "In a Compose file use the other service's name as the host: \"http://comfyui:8188\".",
    "Set `url` to that address; `backline test ID` in the container shows whether it is reached.",
])
.advice(&[
    (Comfyui, "Start it with `--listen 0.0.0.0`, and let a firewall keep others away: it has no log-in."),
    (Gradio, "Start it with `GRADIO_SERVER_NAME=0.0.0.0`."),
    (Wan2gp, "Start it with `--listen`."),
    (Litellm, "Start it with `--host 0.0.0.0`."),
    (Openai, "For Ollama set `OLLAMA_HOST=0.0.0.0`."),
]);

pub(super) const CONNECTION_RESET: Entry = Entry::new(
    "The connection was cut",
    Error,
    &[
        "The server crashed or was stopped in the middle of an answer.",
        "Something between (a firewall, a tunnel, a sleeping machine) cut the line.",
    ],
    "Look at the server's own log; Backline reconnects by itself.",
)
.steps(&[
    "Look at the server's own log at this time: a crash stands there.",
    "If the log shows nothing, look at what stands between: proxy, tunnel, Wi-Fi.",
]);

pub(super) const CONNECTION_CLOSED: Entry = Entry::new(
    "The server closed the channel",
    Error,
    &["The server was stopped or restarted.", "A proxy between ended a long connection."],
    "Nothing to do if it is restarting; otherwise start it again. Backline reconnects by itself.",
)
.steps(&["Start the server again if it is not coming back by itself."])
.advice(&[(
    Comfyui,
    "Another client with our client id would close our socket, too; Backline's is random and never shown.",
)]);

pub(super) const NO_ROUTE: Entry = Entry::new(
    "No route to the host",
    Error,
    &[
        "The machine is off or asleep.",
        "The network or the VPN that leads to it is down.",
        "The address is of another network.",
    ],
    "Wake the machine and check the network; Backline reconnects by itself.",
)
.steps(&[
    "See that the machine is on: a screen, a `ping`, its switch's light.",
    "See that this machine has the network: the cable, the Wi-Fi, the VPN.",
    "Compare the address in `url` with the one that the machine has now.",
]);

pub(super) const DNS: Entry = Entry::new(
    "The host's name does not resolve",
    Error,
    &[
        "The name is misspelt.",
        "The name server is out of reach, or the VPN that brings it is down.",
        "The name is known to another machine only (its own `hosts` file, a Compose network).",
    ],
    "Correct the host in `url`, or use its IP address.",
)
.steps(&[
    "Run `getent hosts NAME` (or `nslookup NAME`) on this machine.",
    "Correct the name in `url`, connect the VPN, or write the IP address in its place.",
]);

pub(super) const TLS: Entry = Entry::new(
    "The TLS handshake failed",
    Error,
    &[
        "The certificate is self-signed, or of an authority that this machine does not know.",
        "The certificate is expired, or for another name.",
        "The port speaks plain http, and `url` says https.",
        "The clock of this machine is wrong.",
    ],
    "Name the authority's certificate in `tls: (ca: \"FILE\")`, or use http:// where the server has no TLS.",
)
.steps(&[
    "Read the message: it says which of the reasons it is.",
    "Unknown authority: put its certificate into a file, and name it in `tls: (ca: \"FILE\")`.",
    "A self-signed one: pin it with `tls: (pin: \"SHA-256 OF THE CERTIFICATE\")`.",
    "Expired or another name: renew it, or write the name in `url` that it was made for.",
    "A plain port: write http:// in `url`. No key crosses a network that way unless you allow it.",
]);

pub(super) const CONNECT_TIMEOUT: Entry = Entry::new(
    "No connection in time",
    Error,
    &[
        "A firewall drops the packets without a word.",
        "The machine is overloaded, asleep or off.",
        "The address belongs to nobody.",
    ],
    "Check the address and the firewall; raise `timeouts: (connect: …)` for a slow network.",
)
.steps(&[
    "See that the machine is on and has this address.",
    "Open the port in its firewall for this machine.",
    "For a slow line raise `timeouts: (connect: \"10s\")`.",
]);

pub(super) const REQUEST_TIMEOUT: Entry = Entry::new(
    "No answer in time",
    Error,
    &[
        "The server is busy with something long.",
        "The server hangs.",
        "Something between holds the answer back.",
    ],
    "Look at the server's load and log; raise `timeouts: (request: …)` if it is only slow.",
)
.steps(&[
    "Look at the server's load: a model that is loaded, a card that is full, a disk that swaps.",
    "If it is only slow, raise `timeouts: (request: \"2m\")`.",
])
.advice(&[
    (Litellm, "Its own time-out answers 408 for a slow provider: raise `request_timeout` there, too."),
    (Comfyui, "It answers nothing while a node blocks its event loop: some custom nodes do when they load."),
]);

pub(super) const HANG: Entry = Entry::new(
    "The server hangs",
    Error,
    &[
        "Its process is stopped, blocked or swapping: it takes connections and answers nothing.",
        "Its machine has run out of memory.",
    ],
    "Look at its process; restart it if it does not come back. Backline reconnects by itself.",
)
.steps(&[
    "Look at its process (`top`): state T is stopped, D waits for a disk.",
    "A stopped one goes on with `kill -CONT PID`.",
    "Restart it if it does not come back. Work that it had is looked for afterwards.",
])
.advice(&[(
    Wan2gp,
    "Its MCP server stands still for everybody while one client waits with `wait: true`; Backline never does.",
)]);

pub(super) const PROXY_IN_THE_WAY: Entry = Entry::new(
    "A proxy answers in its place",
    Error,
    &[
        "Something between (nginx, a tunnel, a company proxy) answers for a server that it cannot reach.",
        "The proxy that `proxy` names refuses to lead there.",
    ],
    "Look at the proxy's own upstream setting, or connect to the server directly.",
)
.steps(&[
    "Start the server behind the proxy, or correct the address that the proxy has for it.",
    "Raise the proxy's read time-out above the longest step of a job (nginx: `proxy_read_timeout`).",
    "Let it pass WebSockets and event streams unbuffered (nginx: `proxy_buffering off` and the `Upgrade` headers).",
    "Backline obeys no HTTP_PROXY: only what `proxy` says for a backend is used, and never for this machine.",
]);

pub(super) const DEPENDENCY_DOWN: Entry = Entry::new(
    "A backend that it needs is not ready",
    Warning,
    &[
        "A person paused or disabled the backend that it needs.",
        "The backend that it needs is off, or cannot be reached.",
    ],
    "Bring back the backend that the message names; this one is well again by itself then.",
)
.steps(&[
    "Look at the backend that the message names: its own card says what is wrong with it.",
    "If a person paused it, resume it; if it is disabled, enable it in the configuration.",
    "If this one does well without it, take it out of `depends_on`.",
]);

pub(super) const FLAPPING: Entry = Entry::new(
    "The connection comes and goes",
    Warning,
    &[
        "The server crashes and is restarted again and again.",
        "The network between is bad.",
        "Two servers take turns at one address.",
    ],
    "Look at the server's own log around these times, and at the network; it ends by itself once a session holds.",
)
.steps(&[
    "Look at the server's own log around these times: a crash leaves a trace there.",
    "Look at what restarts it: a service manager that loops, a container that is out of memory.",
    "On a radio link or a VPN: look at its losses.",
]);

pub(super) const CHANNEL_DEGRADED: Entry = Entry::new(
    "The live channel is deaf",
    Warning,
    &[
        "Something between (a proxy without WebSockets, a buffering one) holds events back; state is read by polling.",
        "The server's own channel stands still while its pages answer.",
    ],
    "Let the proxy pass WebSockets and unbuffered event streams, or connect to the server directly.",
)
.steps(&[
    "Behind nginx: `proxy_http_version 1.1`, the headers `Upgrade` and `Connection`, and `proxy_buffering off`.",
    "Without a proxy: restart the server; jobs are seen through by polling meanwhile.",
])
.advice(&[(Comfyui, "Progress and previews come by its WebSocket `/ws` alone; results do not need it.")]);

pub(super) const UNAVAILABLE: Entry = Entry::new(
    "Nothing is free or ready in time",
    Info,
    &["The backend is down.", "All its slots are taken."],
    "See the reason that the message names; wait longer, or start the backend.",
)
.steps(&["Run `backline status`: it names the reason and the remedy of each backend."]);
