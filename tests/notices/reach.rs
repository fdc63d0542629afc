//! Causes between us and a server.

use std::time::Duration;

use backline::{
    Supervisor,
    config::{Config, Loader},
    model::{Code, Kind, Phase},
    notices::{Wanted, catalogue},
    sim::{
        comfyui::{SimComfyui, Upgrades, Version},
        fault::Act,
        proxy::{End, FaultProxy},
    },
};
use tokio::net::TcpListener;

use crate::place::{
    Instance, LIMIT, backend, binary, dead_port, ended, failed, raised, ready, ready_with, reason, secluded,
    start, until,
};

async fn comfyui() -> SimComfyui {
    SimComfyui::start(Version::V0_24_0).await.unwrap()
}

/// Who had the port before lets go of it a moment after its end.
async fn comfyui_on(port: u16) -> SimComfyui {
    let begun = tokio::time::Instant::now();
    loop {
        match SimComfyui::start_on(port, Version::V0_24_0).await {
            Ok(server) => return server,
            Err(error) => assert!(begun.elapsed() < LIMIT, "{error}"),
        }
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn nothing_listens_and_then_something_does() -> Option<Code> {
    let server = comfyui().await;
    let supervisor = ready_with(backend(Kind::Comfyui, server.server().port())).await;
    server.server().kill();
    let notice = raised(&supervisor, Code::ConnectionRefused).await;
    server.server().restart().await.unwrap();
    ended(&supervisor, Code::ConnectionRefused).await;
    ready(&supervisor).await;
    Some(notice.code)
}

/// The variable is what Podman and systemd-nspawn set.
pub(crate) async fn loopback_in_a_container_is_the_container() -> Option<Code> {
    let (directory, server) = (tempfile::tempdir().unwrap(), comfyui().await);
    let write = |port: u16| {
        let text = format!(
            r#"(backends: {{ "a": (kind: comfyui, url: "http://127.0.0.1:{port}", required: true) }})"#
        );
        std::fs::write(directory.path().join("next"), text).unwrap();
        std::fs::rename(directory.path().join("next"), directory.path().join("backline.ron")).unwrap();
    };
    write(dead_port());
    let mut run = binary(directory.path());
    run.args(["run", "--listen", "127.0.0.1:0"]).env("container", "podman");
    let instance = Instance::start(run, directory.path()).await;
    let notice = instance.told("container_loopback", true);
    assert!(notice["message"].as_str().unwrap().contains("Podman"), "{notice}");
    assert!(notice["fix"].as_str().unwrap().contains("host.containers.internal"), "{notice}");
    // The remedy: an address where the server is.
    write(server.server().port());
    instance.told("container_loopback", false);
    Some(Code::ContainerLoopback)
}

pub(crate) async fn a_connection_that_is_cut() -> Option<Code> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let cutting = async {
        while let Ok((stream, _)) = listener.accept().await {
            // A request that was not read makes the kernel send a reset when the socket is closed.
            let _ = stream.peek(&mut [0; 1]).await;
        }
    };
    let supervisor = start(backend(Kind::Comfyui, port)).await;
    let seen = tokio::select! {
        seen = failed(&supervisor, Code::ConnectionReset) => seen,
        () = cutting => None,
    };
    drop(listener);
    let _sound = comfyui_on(port).await;
    ready(&supervisor).await;
    seen
}

pub(crate) async fn a_channel_that_the_server_closes() -> Option<Code> {
    let server = comfyui().await;
    // A server that closes with bytes unread resets instead, and ours may have said something just now.
    let proxy = FaultProxy::before(server.server().port()).await.unwrap();
    let supervisor = ready_with(backend(Kind::Comfyui, proxy.port())).await;
    let seen = reason(&supervisor, Code::ConnectionClosed, async || proxy.cut(End::Fin)).await;
    ready(&supervisor).await;
    seen
}

/// What a test of an address said at the stage where it failed.
fn tested(directory: &std::path::Path, file: &str, stage: &str, code: Code) {
    let report = std::fs::read_to_string(directory.join(file)).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let last = report["stages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["stage"], &last["ok"]), (&stage.into(), &false.into()), "{report}");
    // More may follow: in a container, whose loopback it is.
    assert!(last["fix"].as_str().unwrap().starts_with(catalogue::entry(code).fix), "{report}");
}

/// The remedy is followed as far as a machine without any server goes: the network is up, and the address answers.
pub(crate) async fn a_machine_without_a_network() -> Option<Code> {
    let directory = tempfile::tempdir().unwrap();
    let script = "$BACKLINE --json test http://127.0.0.1:1 >before; ip link set lo up; \
                  $BACKLINE --json test http://127.0.0.1:1 >after; true";
    secluded(directory.path(), script)?;
    tested(directory.path(), "before", "tcp", Code::NoRoute);
    tested(directory.path(), "after", "tcp", Code::ConnectionRefused);
    Some(Code::NoRoute)
}

/// As before, with the address in the name's place.
pub(crate) async fn a_name_that_nobody_knows() -> Option<Code> {
    let directory = tempfile::tempdir().unwrap();
    let script = "ip link set lo up; $BACKLINE --json test http://no-such-host.invalid:1 >before; \
                  $BACKLINE --json test http://127.0.0.1:1 >after; true";
    secluded(directory.path(), script)?;
    tested(directory.path(), "before", "dns", Code::Dns);
    tested(directory.path(), "after", "tcp", Code::ConnectionRefused);
    Some(Code::Dns)
}

pub(crate) async fn a_port_whose_backlog_is_full() -> Option<Code> {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: only Linux drops what a full backlog cannot take");
        return None;
    }
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    // Until one more finds no room.
    loop {
        match tokio::time::timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(address)).await
        {
            Ok(Ok(stream)) => waiting.push(stream),
            _ => break,
        }
        assert!(waiting.len() < 100, "the backlog takes everything");
    }
    let mut backend = backend(Kind::Comfyui, address.port());
    backend.timeouts.connect = Duration::from_millis(300);
    let supervisor = start(backend).await;
    let seen = failed(&supervisor, Code::ConnectTimeout).await;
    drop((listener, waiting));
    let _sound = comfyui_on(address.port()).await;
    ready(&supervisor).await;
    seen
}

pub(crate) async fn a_server_that_does_not_answer_at_all() -> Option<Code> {
    let server = comfyui().await;
    server.server().freeze();
    let mut backend = backend(Kind::Comfyui, server.server().port());
    backend.timeouts.request = Duration::from_millis(300);
    let supervisor = start(backend).await;
    let seen = failed(&supervisor, Code::RequestTimeout).await;
    server.server().thaw();
    ready(&supervisor).await;
    seen
}

pub(crate) async fn a_server_that_falls_silent() -> Option<Code> {
    let server = comfyui().await;
    let mut backend = backend(Kind::Comfyui, server.server().port());
    (backend.keepalive.interval, backend.keepalive.deadline) =
        (Duration::from_millis(200), Duration::from_millis(300));
    // Its pings are what is to notice it.
    backend.probe.interval = Duration::from_secs(60);
    let supervisor = ready_with(backend).await;
    let seen = reason(&supervisor, Code::Hang, async || server.server().freeze()).await;
    server.server().thaw();
    ready(&supervisor).await;
    seen
}

/// What nginx 1.22 answers for an upstream that is off.
pub(crate) async fn a_gateway_that_answers_in_its_place() -> Option<Code> {
    let server = comfyui().await;
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";
    server.server().trouble("/", None, Act::Answer(http::StatusCode::BAD_GATEWAY, page.to_owned()));
    let supervisor = start(backend(Kind::Comfyui, server.server().port())).await;
    let seen = failed(&supervisor, Code::ProxyInTheWay).await;
    server.server().calm();
    ready(&supervisor).await;
    seen
}

pub(crate) async fn a_connection_that_comes_and_goes() -> Option<Code> {
    let server = comfyui().await;
    let supervisor = ready_with(backend(Kind::Comfyui, server.server().port())).await;
    // Sessions that follow each other faster than a look count as one, so it may take more than four.
    let begun = tokio::time::Instant::now();
    while supervisor.notices(Wanted::Shown).iter().all(|n| n.code != Code::Flapping) {
        assert!(begun.elapsed() < LIMIT, "{:#?}", supervisor.notices(Wanted::All));
        let epoch = supervisor.snapshot().backends[0].epoch;
        server.server().cut();
        until(&supervisor, |b| b.phase == Phase::Ready && b.epoch > epoch).await;
    }
    Some(raised(&supervisor, Code::Flapping).await.code)
}

/// It takes 20 s until a channel that stays blind is told of.
pub(crate) async fn a_proxy_that_passes_no_websocket() -> Option<Code> {
    let server = comfyui().await;
    server.upgrades(Upgrades::Refused);
    let supervisor = ready_with(backend(Kind::Comfyui, server.server().port())).await;
    let notice = raised(&supervisor, Code::ChannelDegraded).await;
    server.upgrades(Upgrades::Taken);
    supervisor.reconnect("a", backline::supervisor::Force::Yes).await.unwrap();
    ended(&supervisor, Code::ChannelDegraded).await;
    Some(notice.code)
}

pub(crate) async fn nothing_is_ready_in_time() -> Option<Code> {
    let port = dead_port();
    let supervisor = Supervisor::builder()
        .config(Config::new().backend(backend(Kind::Comfyui, port)))
        .lease_timeout(Duration::from_millis(50))
        .start()
        .await
        .unwrap();
    failed(&supervisor, Code::ConnectionRefused).await;
    let error = supervisor.comfyui("a").await.map(|_| ()).unwrap_err();
    assert!(!error.fix().is_empty() && error.is_retryable(), "{error}");
    assert_eq!(error.code(), Code::Unavailable.as_str());
    assert!(error.to_string().contains("nothing is listening"), "the reason is named: {error}");
    // The remedy: it is started, and the caller waits longer.
    let _server = comfyui_on(port).await;
    assert!(supervisor.lease_within("a", LIMIT).await.is_ok());
    Some(Code::Unavailable)
}

/// A loader that reads nothing of this machine.
pub(crate) fn loader(file: &std::path::Path) -> Loader {
    Loader::new().file(file)
}
