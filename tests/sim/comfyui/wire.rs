//! What goes over the line, and to whom.

use std::time::Duration;

use backline::{
    backends::comfyui::Comfyui,
    model::Code,
    sim::{Act, comfyui::SimComfyui},
};
use futures_util::StreamExt;
use http::{HeaderValue, StatusCode, header};

use super::rig::{connector, sim, slow, target};
use crate::{line::Line, log::PATIENCE};

#[tokio::test]
async fn the_key_goes_out_only_after_the_fingerprint_and_never_an_origin() {
    let sim = sim().await;
    let mut target = target(&sim.server().url());
    target.http.key = Some("sk-canary".to_owned().into());
    target.http.headers.insert("x-studio", HeaderValue::from_static("7"));
    target.http.headers.insert(header::ORIGIN, HeaderValue::from_static("http://evil.example"));
    let refused = Comfyui::new(target.clone()).unwrap();
    // The configured Origin is the user's own doing over HTTP.
    let Err(fault) = Line::dial(&refused).await else { panic!("accepted") };
    assert_eq!(fault.code(), Code::Forbidden);
    target.http.headers.remove(header::ORIGIN);
    let line = Line::dial(&Comfyui::new(target).unwrap()).await.unwrap();
    line.session.probe().await.unwrap();
    let seen = sim.server().seen();
    let keyed = |s: &backline::sim::Seen| s.headers.contains_key(header::AUTHORIZATION);
    assert!(seen.iter().filter(|s| s.path == "/system_stats").take(2).all(|s| !keyed(s)));
    assert!(seen.iter().filter(|s| s.path != "/system_stats").all(keyed), "{seen:?}");
    assert!(seen.iter().all(|s| s.headers.get("x-studio").is_some()));
    let upgrade = seen.iter().find(|s| s.path.starts_with("/ws")).unwrap();
    assert!(!upgrade.headers.contains_key(header::ORIGIN));
}

#[tokio::test]
async fn a_stranger_on_the_port_is_named_and_gets_no_key() {
    let sim = sim().await;
    let page = "<html><head><title>Jellyfin</title></head></html>".to_owned();
    sim.server().trouble("/system_stats", None, Act::Answer(StatusCode::OK, page));
    let mut target = target(&sim.server().url());
    target.http.key = Some("sk-canary".to_owned().into());
    let Err(fault) = Line::dial(&Comfyui::new(target.clone()).unwrap()).await else { panic!("accepted") };
    assert_eq!(fault.code(), Code::WrongProgram);
    assert!(fault.message().contains("Jellyfin"), "{fault}");
    sim.server().calm();
    sim.server().trouble("/system_stats", None, Act::Answer(StatusCode::UNAUTHORIZED, String::new()));
    let Err(fault) = Line::dial(&Comfyui::new(target).unwrap()).await else { panic!("accepted") };
    assert_eq!(fault.code(), Code::AuthRequired);
    assert!(sim.server().seen().iter().all(|s| !s.headers.contains_key(header::AUTHORIZATION)));
}

#[tokio::test]
async fn an_orderly_end_keeps_the_client_id_and_a_drop_takes_a_new_one() {
    let sim = sim().await;
    let connector = connector(&sim);
    let mut first = Line::dial(&connector).await.unwrap();
    first.session.end(backline::model::Fault::new(Code::Closing, "closing"));
    first.until_closed().await;
    let second = Line::dial(&connector).await.unwrap();
    drop(second);
    let _third = Line::dial(&connector).await.unwrap();
    let ids: Vec<_> =
        sim.server().seen().into_iter().map(|s| s.path).filter(|p| p.starts_with("/ws")).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
}

#[tokio::test]
async fn a_probe_costs_one_small_request_and_tells_the_queue() {
    let sim = sim().await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let before = sim.server().seen().len();
    let first = line.session.probe().await.unwrap();
    assert!(first.resources.vram_total.is_some());
    assert_eq!(first.queue.map(|q| (q.running, q.pending)), Some((0, 0)));
    for _ in 0..4 {
        line.session.probe().await.unwrap();
    }
    assert_eq!(sim.server().seen().len() - before, 6);
}

/// Recorded from the real servers, and the reason why our reader never stops.
#[tokio::test]
async fn a_client_that_reads_nothing_holds_up_the_events_of_all() {
    let sim = sim().await;
    let lazy = socket(&sim, "lazy").await;
    let mut reader = socket(&sim, "reader").await;
    // More than the kernel keeps for a line, to every socket.
    let text = "x".repeat(8 << 20);
    let node = format!(r#","4":{{"class_type":"WireText","inputs":{{"image":["2",0],"text":"{text}"}}}}}}"#);
    let graph = slow(1, 0.0, "").replace(r#""images":["2",0]"#, r#""images":["4",0]"#);
    let graph = format!("{}{node}", graph.strip_suffix('}').unwrap());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let prompt = format!(r#"{{"prompt":{graph},"client_id":"reader"}}"#);
    http.post(format!("{}/prompt", sim.server().url())).body(prompt).send().await.unwrap();

    let held_up = tokio::time::timeout(Duration::from_secs(1), until_over(&mut reader)).await;
    assert!(held_up.is_err(), "the end of the job waits behind the lazy client");
    // HTTP answers all the same: the job is over, however slow the machine is.
    let over = async {
        loop {
            let idle = http.get(format!("{}/prompt", sim.server().url())).send().await.unwrap();
            if idle.text().await.unwrap() == r#"{"exec_info":{"queue_remaining":0}}"# {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, over).await.expect("the job ends");
    drop(lazy);
    tokio::time::timeout(PATIENCE, until_over(&mut reader)).await.expect("the backlog comes at once");
}

type Socket = tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>;

async fn socket(sim: &SimComfyui, client: &str) -> Socket {
    let host = sim.server().url().replace("http://", "");
    let tcp = tokio::net::TcpStream::connect(&host).await.unwrap();
    tokio_tungstenite::client_async(format!("ws://{host}/ws?clientId={client}"), tcp).await.unwrap().0
}

/// Reads up to the end of a job.
async fn until_over(socket: &mut Socket) {
    while let Some(message) = socket.next().await {
        if message.unwrap().to_text().is_ok_and(|text| text.contains(r#""node":null"#)) {
            return;
        }
    }
    panic!("the socket ended");
}

/// The environment of a process cannot be changed from within: another run of this binary gets the proxy.
#[tokio::test]
async fn a_proxy_in_the_environment_is_asked_for_nothing() {
    let canary = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    canary.set_nonblocking(true).unwrap();
    let proxy = format!("http://{}", canary.local_addr().unwrap());
    let mut run = tokio::process::Command::new(std::env::current_exe().unwrap());
    run.args(["--exact", "comfyui::jobs::a_job_shows_its_progress_and_previews_and_leaves_its_file"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        run.env(name, &proxy);
    }
    run.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = run.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(canary.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "the proxy was asked");
}
