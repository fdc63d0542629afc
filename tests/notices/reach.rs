//! Causes between us and a server.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    time::Duration,
};

use backline::{
    Supervisor,
    config::{Config, Loader},
    model::{Code, Kind, Phase},
    net::Address,
    notices::{Wanted, catalogue},
    sim::{
        comfyui::{SimComfyui, Upgrades, Version},
        fault::Act,
        proxy::{End, FaultProxy},
    },
};
use tokio::net::TcpListener;

use crate::place::{
    LIMIT, backend, binary, dead_port, ended, failed, raised, ready, ready_with, reason, secluded, start,
    until,
};

async fn comfyui() -> SimComfyui {
    SimComfyui::start(Version::V0_24_0).await.unwrap()
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
    let mut child = run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // What it says further must not fill the pipe.
    let (tell, heard) = tokio::sync::oneshot::channel();
    let reader = std::thread::spawn(move || {
        let mut tell = Some(tell);
        for line in lines.map_while(Result::ok) {
            if line.starts_with("dashboard: ")
                && let Some(tell) = tell.take()
            {
                let _ = tell.send(());
            }
        }
    });
    tokio::time::timeout(crate::place::LIMIT, heard).await.unwrap().unwrap();
    let notices = |code: &str| {
        let listed = binary(directory.path()).args(["--json", "notices"]).output().unwrap();
        let document: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
        document["notices"].as_array().unwrap().iter().find(|n| n["code"] == code).cloned()
    };
    let until = |wanted: bool| {
        let begun = tokio::time::Instant::now();
        loop {
            let notice = notices("container_loopback");
            if notice.is_some() == wanted {
                return notice;
            }
            assert!(begun.elapsed() < crate::place::LIMIT, "it never became so: {notice:?}");
        }
    };
    let notice = tokio::task::block_in_place(|| until(true)).unwrap();
    assert!(notice["message"].as_str().unwrap().contains("Podman"), "{notice}");
    assert!(notice["fix"].as_str().unwrap().contains("host.containers.internal"), "{notice}");
    // The remedy: an address where the server is.
    write(server.server().port());
    tokio::task::block_in_place(|| until(false));
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
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
    tokio::select! {
        seen = failed(&supervisor, Code::ConnectionReset) => seen,
        () = cutting => None,
    }
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

/// What a test of an address says at the stage where it fails.
fn tested(output: &std::process::Output, stage: &str, code: Code) {
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let last = report["stages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["stage"], &last["ok"]), (&stage.into(), &false.into()), "{report}");
    assert_eq!(last["fix"], catalogue::entry(code).fix, "{report}");
}

pub(crate) async fn a_machine_without_a_network() -> Option<Code> {
    let directory = tempfile::tempdir().unwrap();
    let output = secluded(directory.path(), &["--json", "test", "http://10.0.0.1:8188"])?;
    tested(&output, "tcp", Code::NoRoute);
    Some(Code::NoRoute)
}

pub(crate) async fn a_name_that_nobody_knows() -> Option<Code> {
    let directory = tempfile::tempdir().unwrap();
    let output = secluded(directory.path(), &["--json", "test", "http://no-such-host.invalid:8188"])?;
    tested(&output, "dns", Code::Dns);
    Some(Code::Dns)
}

/// One of the four reasons that the catalogue names; the remedy is its own, `http://`.
pub(crate) async fn a_port_that_speaks_no_tls() -> Option<Code> {
    let server = comfyui().await;
    let mut wrong = backend(Kind::Comfyui, server.server().port());
    wrong.url = Address::parse(&format!("https://127.0.0.1:{}", server.server().port())).unwrap();
    let supervisor = start(wrong).await;
    raised(&supervisor, Code::Tls).await;
    let right = backend(Kind::Comfyui, server.server().port());
    supervisor.apply(Config::new().backend(right)).await.unwrap();
    ready(&supervisor).await;
    ended(&supervisor, Code::Tls).await;
    Some(Code::Tls)
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
    failed(&supervisor, Code::ConnectTimeout).await
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
    let supervisor = Supervisor::builder()
        .config(Config::new().backend(backend(Kind::Comfyui, dead_port())))
        .lease_timeout(Duration::from_millis(50))
        .start()
        .await
        .unwrap();
    let error = supervisor.comfyui("a").await.map(|_| ()).unwrap_err();
    assert!(!error.fix().is_empty() && error.is_retryable(), "{error}");
    assert_eq!(error.code(), Code::Unavailable.as_str());
    Some(Code::Unavailable)
}

/// A loader that reads nothing of this machine.
pub(crate) fn loader(file: &std::path::Path) -> Loader {
    Loader::new().file(file)
}
