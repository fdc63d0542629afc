//! The socket through an http proxy, of which the test sees every request.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::*;
use crate::{
    backends::{Connector, Target, comfyui::Comfyui},
    model::{BackendId, Channel, Epoch, Kind},
    net::{Address, http::HttpSettings},
    sim::comfyui::{SimComfyui, Version},
};

/// A name that only the proxy knows.
const NAME: &str = "comfy.invalid:8188";

/// What the proxy does with a CONNECT; plain requests it forwards.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Connects,
    Answers(&'static str),
    Hangs,
}

/// A small http proxy before one port of this machine.
struct Proxy {
    url: url::Url,
    heads: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    async fn before(port: u16, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://me:p%40ss@{}", listener.local_addr().unwrap()).parse().unwrap();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = heads.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(carry(client, port, manner, seen.clone()));
            }
        });
        Self { url, heads, _tasks: tasks }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    fn target(&self, address: &str) -> Target {
        let id = BackendId::new("comfyui").unwrap();
        let mut target = Target::new(id, Kind::Comfyui, Address::parse(address).unwrap());
        target.http.proxy = Some(self.url.clone());
        target
    }

    fn http(&self, address: &str) -> Http {
        let settings = HttpSettings { proxy: Some(self.url.clone()), ..HttpSettings::default() };
        Http::new(Address::parse(address).unwrap(), &settings).unwrap()
    }
}

async fn carry(mut client: TcpStream, port: u16, manner: Manner, seen: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|part| part == b"\r\n\r\n") {
        if client.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    seen.lock().unwrap().push(text.clone());
    let connects = text.starts_with("CONNECT ");
    match manner {
        Manner::Answers(answer) if connects => return client.write_all(answer.as_bytes()).await.unwrap(),
        Manner::Hangs if connects => return std::future::pending().await,
        _ => {}
    }
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    if connects {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    } else {
        server.write_all(&head).await.unwrap();
    }
    // Either end may leave first.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

async fn open(http: &Http) -> Result<Opened, Fault> {
    Socket::open(http, "client", Previews::Rare, Duration::from_secs(10)).await
}

async fn refused(manner: Manner) -> Fault {
    let proxy = Proxy::before(1, manner).await;
    match open(&proxy.http(&format!("http://{NAME}"))).await.unwrap() {
        Opened::Refused(fault) => fault,
        Opened::Socket(_) => panic!("{manner:?} opened a socket"),
    }
}

#[tokio::test]
async fn the_socket_goes_through_the_proxy_with_its_log_in_and_live_events_come() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let proxy = Proxy::before(sim.server().port(), Manner::Connects).await;
    let comfyui = Comfyui::new(proxy.target(&format!("http://{NAME}"))).unwrap();
    let dialed = comfyui.dial(Epoch::default()).await.unwrap();
    assert_eq!(dialed.channel, Channel::Live);
    let heads = proxy.heads();
    let connects: Vec<_> = heads.iter().filter(|head| head.starts_with("CONNECT ")).collect();
    assert_eq!(connects.len(), 1, "{heads:?}");
    assert!(connects[0].starts_with(&format!("CONNECT {NAME} HTTP/1.1\r\n")), "{connects:?}");
    // `me:p@ss`
    assert!(
        heads.iter().all(|head| head.contains("roxy-") && head.contains("Basic bWU6cEBzcw==")),
        "{heads:?}"
    );
    assert!(heads.len() > 1, "no request went through it");
}

#[tokio::test]
async fn an_encrypted_socket_is_encrypted_within_the_tunnel() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::before(listener.local_addr().unwrap().port(), Manner::Connects).await;
    let http = proxy.http("https://comfy.invalid");
    let (opened, first) = tokio::join!(open(&http), async {
        let (mut server, _) = listener.accept().await.unwrap();
        let mut first = [0; 6];
        server.read_exact(&mut first).await.unwrap();
        first
    });
    assert!(opened.is_err(), "nobody spoke TLS there");
    // A record of a handshake with a client's hello in it.
    assert_eq!((first[0], first[1], first[5]), (0x16, 0x03, 0x01));
    assert!(proxy.heads()[0].starts_with("CONNECT comfy.invalid:443 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_proxy_that_does_not_connect_leaves_polling() {
    let fault = refused(Manner::Answers("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")).await;
    assert_eq!(fault.code(), Code::ProxyInTheWay);
    assert!(fault.message().contains(NAME) && fault.message().contains("403"), "{fault}");
    let fault = refused(Manner::Answers("HTTP/1.1 407 Who\r\n\r\n")).await;
    assert!(fault.fix().contains("user:password"), "{}", fault.fix());
    assert!(!format!("{fault:?}").contains("p@ss") && !format!("{fault:?}").contains("p%40ss"));
    refused(Manner::Answers("SSH-2.0-OpenSSH\r\n\r\n")).await;

    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let proxy = Proxy::before(sim.server().port(), Manner::Answers("HTTP/1.1 403 No\r\n\r\n")).await;
    let comfyui = Comfyui::new(proxy.target(&format!("http://{NAME}"))).unwrap();
    assert_eq!(comfyui.dial(Epoch::default()).await.unwrap().channel, Channel::Polling);
}

#[tokio::test]
async fn a_proxy_that_hangs_or_is_gone_costs_its_deadline_at_most() {
    let proxy = Proxy::before(1, Manner::Hangs).await;
    let http = proxy.http(&format!("http://{NAME}"));
    let opened = Socket::open(&http, "client", Previews::Rare, Duration::from_millis(50)).await.unwrap();
    assert!(matches!(opened, Opened::Refused(fault) if fault.code() == Code::ProxyInTheWay));
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let settings =
        HttpSettings { proxy: Some(format!("http://{gone}").parse().unwrap()), ..HttpSettings::default() };
    let http = Http::new(Address::parse(NAME).unwrap(), &settings).unwrap();
    let Err(fault) = open(&http).await else { panic!("nobody listens there") };
    assert_eq!(fault.code(), Code::ConnectionRefused);
    assert!(fault.message().starts_with(&gone.to_string()), "the proxy is at fault: {fault}");
}

#[tokio::test]
async fn what_is_on_this_machine_goes_through_no_proxy() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let proxy = Proxy::before(1, Manner::Hangs).await;
    for host in ["127.0.0.1", "localhost"] {
        let target = proxy.target(&format!("http://{host}:{}", sim.server().port()));
        let comfyui = Comfyui::new(target).unwrap();
        assert_eq!(comfyui.dial(Epoch::default()).await.unwrap().channel, Channel::Live);
    }
    assert!(proxy.heads().is_empty(), "{:?}", proxy.heads());
}
