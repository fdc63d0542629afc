//! The webhook: told once of a raise and once of an end, and nothing waits for it.

use std::time::Duration;

use backline::{
    Supervisor,
    config::{Config, Secret, WebhookConfig},
    model::{Code, Kind},
    sim::comfyui::{SimComfyui, Version},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

use crate::place::{LIMIT, backend, dead_port, ended, raised, told};

/// A server that answers each request with a status and hands on what it got, head and body.
async fn hook(port: u16, status: &'static str) -> (u16, mpsc::Receiver<(String, serde_json::Value)>) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, heard) = mpsc::channel(100);
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(async move {
        loop {
            // One after the other, as they are sent.
            let (mut stream, _) = listener.accept().await.unwrap();
            {
                let mut seen = Vec::new();
                let (head, body) = loop {
                    let mut part = [0; 4096];
                    let read = stream.read(&mut part).await.unwrap();
                    assert!(read > 0, "the request has no end");
                    seen.extend_from_slice(&part[..read]);
                    let text = String::from_utf8_lossy(&seen).into_owned();
                    if let Some((head, body)) = text.split_once("\r\n\r\n")
                        && let Ok(body) = serde_json::from_str(body)
                    {
                        break (head.to_owned(), body);
                    }
                };
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n"
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
                tell.send((head, body)).await.unwrap();
            }
        }
    });
    (port, heard)
}

async fn next(heard: &mut mpsc::Receiver<(String, serde_json::Value)>) -> (String, serde_json::Value) {
    tokio::time::timeout(LIMIT, heard.recv()).await.expect("the webhook was told nothing").unwrap()
}

/// A backend of the wrong kind, which is told at once.
fn mistaken(server: &SimComfyui, port: u16) -> Config {
    let mut config = configured(server.server().port(), port);
    config.backend_mut("a").unwrap().kind = Kind::Gradio;
    config
}

async fn comfyui() -> SimComfyui {
    SimComfyui::start(Version::V0_24_0).await.unwrap()
}

fn configured(server: u16, port: u16) -> Config {
    let mut webhook = WebhookConfig::new(Secret::Inline(
        format!("http://127.0.0.1:{port}/hook?").trim_end_matches('?').into(),
    ));
    webhook.headers.insert(http::header::AUTHORIZATION, Secret::Inline("Bearer canary-7f".into()));
    let mut config = Config::new().backend(backend(Kind::Comfyui, server));
    config.notices.webhook = Some(webhook);
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raise_and_an_end_are_told_with_the_header() {
    let (port, mut heard) = hook(0, "204 No Content").await;
    let server = comfyui().await;
    let supervisor =
        Supervisor::builder().config(configured(server.server().port(), port)).start().await.unwrap();
    crate::place::ready(&supervisor).await;
    // An outage begins and ends; the version's holes are told before.
    server.server().kill();
    let mut seen = Vec::new();
    let refused = |(_, body): &(String, serde_json::Value)| body["data"]["code"] == "connection_refused";
    while seen.iter().filter(|told| refused(told)).count() < 2 {
        let told = next(&mut heard).await;
        assert!(
            told.0.starts_with("POST /hook HTTP/1.1\r\n") && told.0.contains("Bearer canary-7f"),
            "{}",
            told.0
        );
        if refused(&told) && told.1["type"] == "notice.raised" {
            server.server().restart().await.unwrap();
        }
        seen.push(told);
    }
    let kinds: Vec<_> =
        seen.iter().filter(|told| refused(told)).map(|(_, body)| body["type"].clone()).collect();
    assert_eq!(kinds, ["notice.raised", "notice.cleared"]);
    let metrics = supervisor.metrics();
    assert!(metrics.contains(r#"backline_webhook_notices_total{outcome="delivered"}"#), "{metrics}");
    let tree = &supervisor.snapshot().tree;
    assert!(
        tree.children.iter().any(|child| child.id == "webhook"),
        "it is restarted like any other: {tree:?}"
    );
}

/// It is off: it is told of, and everything else goes on. Once it listens it is told what waited.
pub(crate) async fn a_webhook_that_is_off_and_comes_back() -> Option<Code> {
    let (port, server) = (dead_port(), comfyui().await);
    let supervisor = Supervisor::builder().config(mistaken(&server, port)).start().await.unwrap();
    raised(&supervisor, Code::WrongProgram).await;
    let notice = raised(&supervisor, Code::WebhookFailing).await;
    assert!(notice.message.contains("1 wait, 0 were dropped"), "{}", notice.message);
    assert!(!notice.message.contains("canary"), "{}", notice.message);
    let (_, mut heard) = hook(port, "200 OK").await;
    let (_, body) = next(&mut heard).await;
    assert_eq!(body["data"]["code"], "wrong_program");
    ended(&supervisor, Code::WebhookFailing).await;
    Some(notice.code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_not_followed_and_a_refusal_is_dropped_and_counted() {
    for (status, outcome) in [("307 Temporary Redirect", "failed"), ("422 Unprocessable Content", "dropped")]
    {
        let (port, mut heard) = hook(0, status).await;
        let server = comfyui().await;
        let supervisor = Supervisor::builder().config(mistaken(&server, port)).start().await.unwrap();
        next(&mut heard).await;
        let failing = |n: &backline::model::Notice| n.code == Code::WebhookFailing;
        let all = told(&supervisor, |all| all.iter().any(failing)).await;
        let message = &all.iter().find(|n| failing(n)).unwrap().message;
        assert!(message.contains(&status[..3]), "{message}");
        let metrics = supervisor.metrics();
        assert!(
            metrics.contains(&format!(r#"backline_webhook_notices_total{{outcome="{outcome}"}}"#)),
            "{metrics}"
        );
    }
}

/// One that takes the connection and says nothing holds nothing else up: neither notices nor the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_hangs_holds_nothing_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = comfyui().await;
    let supervisor = Supervisor::builder().config(mistaken(&server, port)).start().await.unwrap();
    raised(&supervisor, Code::WrongProgram).await;
    let (_held, _) = tokio::time::timeout(LIMIT, listener.accept()).await.unwrap().unwrap();
    supervisor.apply(configured(server.server().port(), port)).await.unwrap();
    ended(&supervisor, Code::WrongProgram).await;
    assert!(supervisor.shutdown(Duration::from_secs(5)).await.clean);
}
