//! Jobs, and what their sockets hear of them.

use std::time::Duration;

use http::Method;
use serde_json::json;

use super::{
    script::{Script, id},
    socket::{Frame, Socket},
};

const FLAGS: &str = r#"{"type":"feature_flags","data":{"supports_preview_metadata":true}}"#;

/// Long enough for anything that is on its way.
const MOMENT: Duration = Duration::from_millis(700);

fn all(_: &Frame) -> bool {
    true
}

/// What does not depend on how fast the server and the script are.
fn turning_points(frame: &Frame) -> bool {
    !matches!(frame.kind(), "status" | "progress" | "progress_state")
}

pub async fn success_then_cached(script: &mut Script) {
    script.scene("success with previews, then the same from the cache");
    let name = id();
    let mut socket = Socket::open(script, "A", &name).await;
    socket.say(FLAGS).await;
    socket.until(|f| f.is("feature_flags")).await;
    let mut graph = script.graph(2, 0.1, json!({"preview": true}));
    graph["3"] =
        json!({"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "parity"}});
    graph["4"] = json!({"class_type": "WireText", "inputs": {"image": ["2", 0], "text": "hello text"}});
    graph["3"]["inputs"]["images"] = json!(["4", 0]);
    for _ in 0..2 {
        let id = script.prompt(&graph, Some(&name), Some(&id())).await;
        socket.until(Frame::is_over).await;
        socket.write(script, all);
        script.history(&id).await;
        script.get(&format!("/api/jobs/{id}")).await;
    }
    script.get("/api/jobs?limit=1").await;
    socket.close().await;
}

pub async fn previews_without_flags(script: &mut Script) {
    script.scene("previews for a socket that said nothing");
    let name = id();
    let mut socket = Socket::open(script, "B", &name).await;
    socket.until(|f| f.is("status")).await;
    let graph = script.graph(2, 0.1, json!({"preview": true}));
    script.prompt(&graph, Some(&name), None).await;
    socket.until(Frame::is_over).await;
    socket.write(script, all);
    socket.close().await;
}

pub async fn failure(script: &mut Script) {
    script.scene("a node that fails");
    let name = id();
    let mut socket = Socket::open(script, "C", &name).await;
    socket.until(|f| f.is("status")).await;
    let graph = script.graph(4, 0.1, json!({"fail_at": 2}));
    let id = script.prompt(&graph, Some(&name), None).await;
    socket.until(Frame::is_over).await;
    socket.write(script, all);
    script.history(&id).await;
    script.get(&format!("/api/jobs/{id}")).await;
    socket.close().await;
}

pub async fn partial(script: &mut Script) {
    script.scene("a bad branch beside a good one, after an interrupt of nothing");
    script.idle().await;
    script.ask(Method::POST, "/interrupt", "").await;
    let mut graph = script.graph(1, 0.0, json!({}));
    graph["4"] = json!({"class_type": "SaveImage", "inputs": {"images": ["88", 0], "filename_prefix": "x"}});
    let id = script.prompt(&graph, None, None).await;
    script.history(&id).await;
}

pub async fn same_id_thrice(script: &mut Script) {
    script.scene("one id, three times");
    let name = id();
    let mut socket = Socket::open(script, "D", &name).await;
    let id = id();
    let graph = script.graph(4, 0.15, json!({}));
    script.prompt(&graph, Some(&name), Some(&id)).await;
    socket.until(|f| f.is_step(1)).await;
    script.prompt(&graph, Some(&name), Some(&id)).await;
    let other = script.graph(1, 0.05, json!({}));
    script.prompt(&other, Some(&name), Some(&id)).await;
    script.get("/queue").await;
    for _ in 0..3 {
        socket.until(Frame::is_over).await;
    }
    socket.write_counts(script);
    socket.write(script, turning_points);
    script.history(&id).await;
    socket.close().await;
}

pub async fn interrupt(script: &mut Script) {
    script.scene("interrupt and delete, by id");
    let name = id();
    let mut socket = Socket::open(script, "E", &name).await;
    let graphs =
        [(60, 0.1), (3, 0.02), (3, 0.02)].map(|(steps, delay)| script.graph(steps, delay, json!({})));
    let running = script.prompt(&graphs[0], Some(&name), None).await;
    socket.until(|f| f.is_step(1)).await;
    let doomed = script.prompt(&graphs[1], Some(&name), None).await;
    let last = script.prompt(&graphs[2], Some(&name), None).await;
    script.get("/queue").await;
    script.get(&format!("/api/jobs/{running}")).await;
    script.get(&format!("/api/jobs/{doomed}")).await;
    script.ask(Method::POST, "/interrupt", &json!({"prompt_id": doomed}).to_string()).await;
    script.ask(Method::POST, "/queue", &json!({"delete": [doomed]}).to_string()).await;
    script.ask(Method::POST, "/queue", &json!({"delete": [running]}).to_string()).await;
    socket.until(|f| f.is_step(4)).await;
    script.ask(Method::POST, "/interrupt", &json!({"prompt_id": running}).to_string()).await;
    socket.until(Frame::is_over).await;
    socket.until(Frame::is_over).await;
    socket.write_counts(script);
    socket.write(script, turning_points);
    script.history(&running).await;
    script.get(&format!("/history/{doomed}")).await;
    script.history(&last).await;
    socket.close().await;
}

pub async fn reconnect(script: &mut Script) {
    script.scene("the same id again, in the middle of a job");
    let name = id();
    let mut first = Socket::open(script, "F1", &name).await;
    let graph = script.graph(20, 0.1, json!({}));
    let id = script.prompt(&graph, Some(&name), None).await;
    first.until(|f| f.is_step(2)).await;
    first.close().await;
    let mut second = Socket::open(script, "F2", &name).await;
    second.until(Frame::is_over).await;
    second.write(script, turning_points);
    script.history(&id).await;
    second.close().await;
    let mut third = Socket::open(script, "F3", &name).await;
    third.listen(MOMENT).await;
    third.write(script, all);
    third.close().await;
}

pub async fn deaf(script: &mut Script) {
    script.scene("two sockets, one id, and the old one closes");
    let name = id();
    let mut old = Socket::open(script, "OLD", &name).await;
    old.until(|f| f.is("status")).await;
    let mut new = Socket::open(script, "NEW", &name).await;
    new.until(|f| f.is("status")).await;
    let graph = script.graph(1, 0.05, json!({}));
    script.prompt(&graph, Some(&name), None).await;
    new.until(Frame::is_over).await;
    old.listen(MOMENT).await;
    old.write(script, all);
    new.write(script, turning_points);
    old.close().await;
    // The server has its own moment to notice.
    tokio::time::sleep(MOMENT).await;
    let graph = script.graph(1, 0.05, json!({}));
    let id = script.prompt(&graph, Some(&name), None).await;
    script.history(&id).await;
    new.ping().await;
    new.listen(MOMENT).await;
    script.line("NEW after the old one closed:");
    new.write(script, all);
    new.close().await;
}

pub async fn no_client(script: &mut Script) {
    script.scene("a prompt of nobody, and one of somebody else");
    let (own, other) = (id(), id());
    let mut socket = Socket::open(script, "H", &own).await;
    socket.until(|f| f.is("status")).await;
    let graph = script.graph(1, 0.05, json!({"preview": true}));
    let nobody = script.prompt(&graph, None, None).await;
    script.history(&nobody).await;
    socket.listen(MOMENT).await;
    socket.write(script, all);
    let graph = script.graph(1, 0.05, json!({}));
    let else_s = script.prompt(&graph, Some(&other), None).await;
    script.history(&else_s).await;
    socket.listen(MOMENT).await;
    script.line("H of somebody else's:");
    socket.write(script, all);
    socket.close().await;
}

pub async fn odd_messages(script: &mut Script) {
    script.scene("odd messages from the client");
    let mut socket = Socket::open(script, "J", &id()).await;
    for odd in ["not json", "[1]", r#"{"type":"nonsense"}"#, FLAGS] {
        socket.say(odd).await;
    }
    socket.ping().await;
    socket.listen(MOMENT).await;
    socket.write(script, |f| !f.is("closed") && !f.is("status"));
    socket.say(&"x".repeat(3 * 1024 * 1024)).await;
    socket.ping().await;
    socket.listen(MOMENT).await;
    socket.write(script, all);
    socket.close().await;
}
