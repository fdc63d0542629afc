//! A running instance over a simulated backend, asked by the other commands and over HTTP.
#![cfg(unix)]

use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    time::Duration,
};

use backline::sim::comfyui::{SimComfyui, Version};
use nix::sys::signal::Signal;
use tokio::task::spawn_blocking;

use crate::binary::{Place, Running};

const FLOW: &str = r#"{"1":{"class_type":"EmptyImage","inputs":{"width":8,"height":8,"batch_size":1,"color":1}},
    "2":{"class_type":"SaveImage","inputs":{"images":["1",0],"filename_prefix":"x"}}}"#;

fn configured(port: u16) -> Place {
    let place = Place::new();
    let text = format!(
        r#"(backends: {{ "comfyui": (kind: comfyui, url: "http://127.0.0.1:{port}", required: true) }})"#
    );
    place.write("backline.ron", &text);
    place.write("flow.json", FLOW);
    place
}

/// One request, raw, so that every header is what the test says.
fn ask(running: &Running, request: &str) -> String {
    let mut stream = TcpStream::connect(running.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(running: &Running, path: &str, headers: &str) -> String {
    ask(
        running,
        &format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", running.address()),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_found_asked_and_stopped() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let place = configured(sim.server().port());
    spawn_blocking(move || {
        let mut running = place.start(&["run", "--listen", "127.0.0.1:0"]);
        let file = place.path().join("state/instance.json");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(place.path().join("state").metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let ready = (0..100).any(|_| {
            std::thread::yield_now();
            place.run(&["status"]).code == 0
        });
        assert!(ready, "it never became healthy: {}", place.run(&["status"]).out);
        let snapshot = place.run(&["--json", "status"]).json();
        assert_eq!(snapshot["overall"], "healthy");
        assert_eq!(snapshot["backends"][0]["version"], "0.24.0");
        assert_eq!(snapshot["tree"]["children"][0]["children"][0]["id"], "comfyui");
        let second = place.run(&["run", "--listen", "127.0.0.1:0"]);
        assert_eq!(second.code, 2);
        assert!(second.err.contains("in use by process"), "{}", second.err);
        assert!(place.run(&["open", "--print"]).out.starts_with(&format!("http://{}/#", running.address())));
        running.signal(Signal::SIGTERM);
        let (code, said) = running.wait();
        assert_eq!(code, 0, "{said}");
        assert!(!file.exists(), "it is still published");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_the_token_and_comes_from_here_is_answered() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let place = configured(sim.server().port());
    spawn_blocking(move || {
        let running = place.start(&["run", "--listen", "127.0.0.1:0"]);
        let bearer = bearer(&place);
        let status = |answer: &str| answer.split(' ').nth(1).unwrap_or("none").to_owned();
        let snapshot = "/api/v1/snapshot";
        assert_eq!(status(&get(&running, snapshot, &bearer)), "200");
        assert_eq!(status(&get(&running, snapshot, "")), "401");
        assert_eq!(status(&get(&running, snapshot, "Authorization: Bearer wrong\r\n")), "401");
        assert_eq!(status(&get(&running, "/healthz", "")), "200");
        assert_eq!(status(&get(&running, "/metrics", "")), "200");
        assert_eq!(status(&get(&running, snapshot, &format!("{bearer}Origin: http://evil.test\r\n"))), "403");
        assert_eq!(status(&get(&running, snapshot, &format!("{bearer}Origin: null\r\n"))), "403");
        assert_eq!(status(&get(&running, snapshot, &format!("{bearer}Sec-Fetch-Site: cross-site\r\n"))), "403");
        assert_eq!(status(&get(&running, snapshot, &format!("{bearer}Sec-Fetch-Site: same-site\r\n"))), "403");
        for host in ["evil.test", "", "127.0.0.1.evil.test", "localhost."] {
            let request = format!("GET {snapshot} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{bearer}\r\n");
            assert_eq!(status(&ask(&running, &request)), "421", "Host `{host}` was answered");
        }
        let code = running.url.split_once('#').unwrap().1.to_owned();
        let body = format!(r#"{{"code":"{code}"}}"#);
        let trade = format!(
            "POST /api/v1/session HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            running.address(),
            body.len()
        );
        assert_eq!(status(&ask(&running, &trade)), "200");
        assert_eq!(status(&ask(&running, &trade)), "401", "a code was good twice");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submit_saves_the_image_and_its_last_line_is_the_job() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let place = configured(sim.server().port());
    spawn_blocking(move || {
        let ended =
            place.run(&["--json", "submit", "comfyui", "--workflow", "flow.json", "--out", "pictures"]);
        assert_eq!(ended.code, 0, "{}", ended.err);
        let job: serde_json::Value = serde_json::from_str(ended.out.lines().last().unwrap()).unwrap();
        assert_eq!((job["state"].as_str(), job["attempts"].as_u64()), (Some("done"), Some(1)), "{job}");
        let bytes = std::fs::read(place.path().join("pictures/0.png")).unwrap();
        assert_eq!(job["outputs"][0]["bytes"].as_u64().unwrap(), bytes.len() as u64);
        place.write("bad.json", &FLOW.replace("EmptyImage", "NoSuchNode"));
        let ended = place.run(&["submit", "comfyui", "--workflow", "bad.json"]);
        assert_eq!(ended.code, 1);
        assert!(ended.err.contains("NoSuchNode"), "ComfyUI's own complaint is missing: {}", ended.err);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_and_what_was_edited_are_kept_and_shown_with_their_sources() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let port = sim.server().port();
    let place = Place::new();
    place.write("backline.ron", &format!(r#"(discovery: (ports: ["{port}"], adopt: always))"#));
    spawn_blocking(move || {
        let url = serde_json::Value::from(format!("http://127.0.0.1:{port}"));
        let mut running = place.start(&["run", "--listen", "127.0.0.1:0"]);
        // What else runs on this machine may be found, too.
        let found = (0..200).find_map(|_| {
            let shown = place.run(&["--json", "status"]).json();
            let backends = shown["backends"].as_array().unwrap();
            backends.iter().find(|b| b["url"] == url && b["phase"] == "ready").map(|b| b["id"].clone())
        });
        let found = found.expect("what runs there was not adopted").as_str().unwrap().to_owned();
        let body = r#"{"id":"added","kind":"litellm","url":"http://127.0.0.1:1"}"#;
        let added = ask(
            &running,
            &format!(
                "POST /api/v1/backends HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                running.address(),
                bearer(&place),
                body.len()
            ),
        );
        assert!(added.starts_with("HTTP/1.1 201 "), "{added}");
        let shown = |path: &str| {
            let rows = place.run(&["--json", "config", "show"]).json()["values"].as_array().unwrap().clone();
            let row = rows.into_iter().find(|row| row["path"] == path);
            row.map(|row| (row["value"].clone(), row["source"].as_str().unwrap().to_owned()))
        };
        let (found, added) = (format!("backends.{found}.url"), "backends.added.url");
        let expected = |value: &str, source: &str| Some((serde_json::Value::from(value), source.to_owned()));
        let as_expected = || {
            assert_eq!(shown(&found), expected(url.as_str().unwrap(), "discovered"));
            assert_eq!(shown(added), expected("http://127.0.0.1:1", "api"));
        };
        as_expected();
        running.signal(Signal::SIGKILL);
        running.wait();
        as_expected();
        let mut running = place.start(&["run", "--listen", "127.0.0.1:0"]);
        running.signal(Signal::SIGTERM);
        assert_eq!(running.wait().0, 0);
        as_expected();
    })
    .await
    .unwrap();
}

fn bearer(place: &Place) -> String {
    let text = std::fs::read_to_string(place.path().join("state/instance.json")).unwrap();
    let instance: serde_json::Value = serde_json::from_str(&text).unwrap();
    format!("Authorization: Bearer {}\r\n", instance["token"].as_str().unwrap())
}
