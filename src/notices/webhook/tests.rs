use std::time::Duration;

use backline_supervisors::{ChildSpec, RootHandle, SupervisorSpec, TreeSnapshot};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::{
    config::{Config, Secret, WebhookConfig},
    settings::layers::Layers,
};

/// Takes the next letter.
async fn letter(listener: &TcpListener) -> Value {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut seen = Vec::new();
    loop {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.unwrap();
        assert!(read > 0, "the request has no end");
        seen.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
        if let Some(event) = body.and_then(|body| serde_json::from_str(body).ok()) {
            stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await.unwrap();
            return event;
        }
    }
}

#[tokio::test]
async fn a_messenger_that_broke_is_restarted_and_tells_what_comes_then() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}/hook", listener.local_addr().unwrap());
    let mut config = Config::new();
    config.notices.webhook = Some(WebhookConfig::new(Secret::Inline(hook.as_str().into())));
    let hub = Arc::new(Hub::new(TreeSnapshot::down("root")));
    let desk = Desk::new(hub.clone());
    let standing = Standing::new(Layers::Given(Box::new(config.clone())), config);
    let setup = Setup::new(hub, desk.clone(), standing);
    let child = ChildSpec::actor("webhook", move || (Messenger, setup.clone()));
    // What is told before the tree is up is not missed.
    desk.raise(Draft::new(Code::DiskFull, Severity::Error).message("before"));
    let root = RootHandle::start(SupervisorSpec::new("root").child(child)).await.unwrap();
    assert_eq!(letter(&listener).await["data"]["code"], "disk_full");

    let mut tree = root.watch();
    ActorRef::<Msg>::from(root.cell("webhook").unwrap()).cast(Msg::Broke).unwrap();
    let again =
        |tree: &TreeSnapshot| tree.child("webhook").is_some_and(|c| c.restarts == 1 && c.is_running());
    let healed = tree.wait_for(again).await;
    let exit = healed.child("webhook").unwrap().last_exit.clone().unwrap().to_string();
    assert!(exit.contains("what tells the webhook panicked"), "{exit}");
    desk.raise(Draft::new(Code::ClockJump, Severity::Info).message("after"));
    assert_eq!(letter(&listener).await["data"]["code"], "clock_jump");
    assert!(root.shutdown(Duration::from_secs(5)).await.clean);
}
