//! The WebSocket: who is known by which id, and how events get to them.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode, header};
use hyper::{body::Incoming, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::sim::{
    Body,
    comfyui::{
        Version, answer,
        state::{Event, EventBody, Member, Parcel, State},
        switches::Upgrades,
    },
};

/// The largest message that the server takes.
const INBOUND_CAP: usize = 4 * 1024 * 1024;

/// What waits for one socket: its greeting, or one event.
const LINE: usize = 2;

/// Answers `/ws`.
pub(super) fn upgrade(state: Arc<State>, mut request: Request<Incoming>) -> Response<Body> {
    let headers = request.headers();
    let upgrade = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    let asked = upgrade.is_some_and(|to| to.trim().eq_ignore_ascii_case("websocket"));
    // A proxy that knows HTTP only takes `Upgrade` away and leaves the key.
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asked).cloned() else {
        return answer::text(
            StatusCode::BAD_REQUEST,
            "No WebSocket UPGRADE hdr: None\n Can \"Upgrade\" only to \"WebSocket\".",
        );
    };
    if state.switches.upgrades() == Upgrades::Refused {
        return answer::text(StatusCode::BAD_REQUEST, "this proxy does not know upgrades");
    }
    let query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    let id = query.into_owned().find(|(name, id)| name == "clientId" && !id.is_empty()).map(|(_, id)| id);
    let id = id.unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string());
    let upgraded = hyper::upgrade::on(&mut request);
    #[expect(clippy::disallowed_methods, reason = "ends with its line, which the server cuts at a kill")]
    tokio::spawn(async move {
        if let Ok(upgraded) = upgraded.await {
            serve(state, id, upgraded).await;
        }
    });
    let mut response = answer::empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONNECTION, header::HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, header::HeaderValue::from_static("websocket"));
    let accept = derive_accept_key(key.as_bytes());
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept.parse().expect("base64 fits a header"));
    response
}

async fn serve(state: Arc<State>, id: String, upgraded: Upgraded) {
    let mut limits = WebSocketConfig::default();
    limits.max_message_size = Some(INBOUND_CAP);
    limits.max_frame_size = Some(INBOUND_CAP);
    let stream = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(limits)).await;
    let (line, events) = mpsc::channel(LINE);
    greet(&state, &id, line).await;
    converse(&state, &id, stream, events).await;
    // The quirk: whoever has this id by now is thrown out with it, and hears nothing any more.
    state.memory().sockets.remove(&id);
}

/// Takes the id, from another socket if need be: that one stays open and hears nothing.
async fn greet(state: &State, id: &str, line: mpsc::Sender<Parcel>) {
    let (status, node) = {
        let mut memory = state.memory();
        memory.sockets.insert(id.to_owned(), Member { line: line.clone(), flags: Map::new() });
        let ours = memory.client.as_deref() == Some(id);
        (memory.status(), memory.node.clone().filter(|_| ours))
    };
    if state.switches.is_mute() {
        return;
    }
    let mut frames = vec![json!({"type": "status", "data": {"status": status, "sid": id}})];
    // To the client of the running prompt, without naming the prompt.
    frames.extend(node.map(|node| json!({"type": "executing", "data": {"node": node}})));
    for frame in frames {
        let (parcel, _) = parcel(Message::text(frame.to_string()));
        if line.send(parcel).await.is_err() {
            return;
        }
    }
}

type Stream = WebSocketStream<TokioIo<Upgraded>>;

async fn converse(state: &State, id: &str, stream: Stream, mut events: mpsc::Receiver<Parcel>) {
    let (mut write, mut read) = stream.split();
    let mut first = true;
    loop {
        tokio::select! {
            Some(parcel) = events.recv() => {
                if write.send(parcel.message).await.is_err() {
                    return;
                }
                // A greeting is waited for by nobody.
                let _ = parcel.written.send(());
            }
            message = read.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let opening = std::mem::replace(&mut first, false);
                    if opening && let Some(flags) = flags(&text) {
                        introduce(state, id, flags);
                    }
                }
                // Pings are answered by the next flush.
                Some(Ok(Message::Ping(_))) => {
                    if write.flush().await.is_err() {
                        return;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(Error::Capacity(_))) => {
                    let close = CloseFrame { code: CloseCode::Size, reason: "".into() };
                    let _ = write.send(Message::Close(Some(close))).await;
                    return;
                }
                Some(Err(_)) | None => return,
            },
        }
    }
}

/// Feature flags count only as the first message of a socket.
fn flags(text: &str) -> Option<Map<String, Value>> {
    let message: Value = serde_json::from_str(text).ok()?;
    (message.get("type")? == "feature_flags").then_some(())?;
    Some(message.get("data").and_then(Value::as_object).cloned().unwrap_or_default())
}

fn introduce(state: &State, id: &str, flags: Map<String, Value>) {
    if let Some(member) = state.memory().sockets.get_mut(id) {
        member.flags = flags;
    }
    state.send(Some(id), "feature_flags", features(state.version));
}

/// What GET /features answers, too.
pub(super) fn features(version: Version) -> Value {
    let mut features = json!({"supports_preview_metadata": true, "max_upload_size": 104_857_600});
    if version == Version::V0_24_0 {
        features["extension"] = json!({"manager": {"supports_v4": true}});
        features["node_replacements"] = json!(true);
        features["assets"] = json!(false);
    }
    features
}

fn parcel(message: Message) -> (Parcel, oneshot::Receiver<()>) {
    let (written, receipt) = oneshot::channel();
    (Parcel { message, written }, receipt)
}

/// Hands events to the sockets, one after the other, and waits for each write as the real server does: a client that
/// reads nothing holds up the events of all.
pub(super) async fn publish(state: Arc<State>, mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        if state.switches.is_mute() {
            continue;
        }
        let success = event.success().map(str::to_owned);
        let message = match event.body {
            EventBody::Text(value) => Message::text(value.to_string()),
            EventBody::Binary(bytes) => Message::binary(bytes),
        };
        let lines: Vec<_> = {
            let memory = state.memory();
            let members =
                memory.sockets.iter().filter(|(id, _)| event.to.as_ref().is_none_or(|to| to == *id));
            members.map(|(_, member)| member.line.clone()).collect()
        };
        for line in lines {
            // A socket that is closing takes no more, and gives no receipt.
            let (parcel, receipt) = parcel(message.clone());
            if line.send(parcel).await.is_ok() {
                let written = receipt.await.is_ok();
                success.iter().filter(|_| written).for_each(|id| state.switches.told(id));
            }
        }
    }
}
