//! `backline discover` over real servers on odd ports, among what is no backend, all at once.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::{net::TcpStream, time::Instant};

use crate::{
    comfyui,
    decoy::Decoys,
    gradio, litellm,
    server::{Server, installed, skip},
};

/// The time-out of one server in a sweep.
const TIME_OUT: Duration = Duration::from_millis(1_500);
/// So many sweeps in a row have a server that is late only where one of them does not answer at all.
const SWEEPS: u32 = 20;

/// What has to be said of a server: its kind, its version where it tells strangers, what it needs.
type Wanted = (u16, &'static str, Option<&'static str>, Option<&'static str>);

#[tokio::test]
async fn real_servers_are_found_among_decoys_with_their_version_and_what_they_need() {
    let (servers, wanted) = backends().await;
    if wanted.is_empty() {
        return;
    }
    let others = no_backends().await;
    let decoys = Decoys::start().await;
    let ports = wanted.iter().map(|w| w.0).chain(others.iter().map(|s| s.port));
    let ports: Vec<u16> = ports.chain(decoys.ports.iter().map(|d| d.0)).collect();
    let bare = connect_to(&ports).await;
    // A busy machine has servers that answer later than 1.5 s. Who was not found is named then, and found in its time.
    let mut sweeps = 0;
    loop {
        let document = discover(&ports).await;
        let late = check(&document, &wanted);
        let promised = (TIME_OUT + 2 * bare).as_millis();
        println!("a sweep took {} ms, {late} were late; promised are {promised} ms", document["took_ms"]);
        if late == 0 {
            break;
        }
        sweeps += 1;
        assert!(sweeps < SWEEPS, "still not found after {sweeps} sweeps: {document:#}");
    }
    drop(servers);
}

/// How many a sweep did not find, or not wholly. It may call nothing else a backend, and names whoever was late.
fn check(document: &Value, wanted: &[Wanted]) -> usize {
    let found = document["found"].as_array().unwrap();
    let silent = document["silent"].as_array().unwrap();
    let (mut missing, mut half_told) = (0, 0);
    for (port, kind, version, needs) in wanted {
        let url = format!("http://127.0.0.1:{port}");
        let Some(find) = found.iter().find(|find| find["url"] == url) else {
            assert!(silent.contains(&url.into()), "neither found nor named: {port} in {document:#}");
            missing += 1;
            continue;
        };
        assert_eq!(find["kind"].as_str(), Some(*kind), "{find}");
        if needs.is_some() && find["needs"].is_null() {
            // It said what it is in time; the answer that shows what it needs was late.
            half_told += 1;
            continue;
        }
        assert_eq!(find["needs"].as_str(), *needs, "{find}");
        assert!(version.is_none() || find["version"].as_str() == *version, "{find}");
        assert!(find["identity"].as_str().is_some_and(|identity| identity.starts_with(kind)), "{find}");
    }
    assert_eq!(found.len() + missing, wanted.len(), "nothing else is a backend: {found:#?}");
    missing + half_told
}

/// Every real server that is installed here.
async fn backends() -> (Vec<Server>, Vec<Wanted>) {
    let (mut servers, mut wanted) = (Vec::new(), Vec::new());
    let apps = [
        ("BACKLINE_REAL_GRADIO_4", "", Some("4.44.1"), None),
        ("BACKLINE_REAL_GRADIO_5", "", Some("5.29.0"), None),
        ("BACKLINE_REAL_GRADIO_6", "", Some("6.31.0"), None),
        ("BACKLINE_REAL_GRADIO_6", "auth", None, Some("auth")),
    ];
    for (variable, door, version, needs) in apps {
        let Some(mut server) = gradio::server(variable, door) else { continue };
        server.start().await;
        wanted.push((server.port, "gradio", version, needs));
        servers.push(server);
    }
    let key = format!("sk-{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    if let Some((stub, server)) = litellm::servers(&key).await {
        wanted.push((server.port, "litellm", None, Some("auth")));
        // What answers in a provider's place speaks a provider's protocol.
        wanted.push((stub.port, "openai", None, None));
        servers.extend([stub, server]);
    }
    if let Some(server) = comfyui::server().await {
        wanted.push((server.port, "comfyui", None, None));
        servers.push(server);
    }
    (servers, wanted)
}

/// Real programs that speak HTTP and are no backends.
async fn no_backends() -> Vec<Server> {
    let mut servers = Vec::new();
    if let Some(program) = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|p| Path::new(p).exists()) {
        servers.push(Server::new(move |port, home| {
            let settings = format!(
                "daemon off; master_process off; pid nginx.pid; error_log error.log;
                 events {{}} http {{ access_log off; server {{ listen 127.0.0.1:{port}; }} }}"
            );
            std::fs::write(home.join("nginx.conf"), settings).unwrap();
            let mut command = Command::new(program);
            command.arg("-p").arg(home).arg("-e").arg(home.join("error.log")).args(["-c", "nginx.conf"]);
            command
        }));
    } else {
        skip("discovery beside nginx: there is no nginx");
    }
    // LiteLLM brings aiohttp, which is what ComfyUI answers with, too.
    if let Some(python) = installed("BACKLINE_REAL_LITELLM", "another server on aiohttp") {
        const QUEUE: &str = "
import sys
from aiohttp import web
async def queue(request): return web.json_response({'queue_running': [], 'queue_pending': []})
app = web.Application()
app.add_routes([web.get('/queue', queue)])
web.run_app(app, host='127.0.0.1', port=int(sys.argv[1]))
";
        servers.push(Server::new(move |port, _| {
            let mut command = Command::new(&python);
            command.args(["-c", QUEUE]).arg(port.to_string());
            command
        }));
    }
    for server in &mut servers {
        server.start().await;
    }
    servers
}

/// How long it takes to connect to each, one after the other.
async fn connect_to(ports: &[u16]) -> Duration {
    let begun = Instant::now();
    for port in ports {
        TcpStream::connect(("127.0.0.1", *port)).await.unwrap();
    }
    begun.elapsed()
}

async fn discover(ports: &[u16]) -> Value {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_backline"));
    command.args(["discover", "--json"]).current_dir(home.path()).stdin(Stdio::null());
    command.env("HOME", home.path()).env("BACKLINE_STATE_DIR", home.path().join("state"));
    for port in ports {
        command.arg("--port").arg(port.to_string());
    }
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let document: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(document["scanned"].as_u64(), Some(ports.len() as u64));
    document
}
