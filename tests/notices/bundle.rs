//! The doctor and its bundle: what is found, and that no secret leaves the machine.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use backline::sim::{
    comfyui::{SimComfyui, Version},
    litellm::{Options, SimLitellm},
};

use crate::place::{binary, dead_port};

const CANARIES: [(&str, &str); 4] = [
    ("KEY", "sk-canary-key-1234567890"),
    ("PASSWORD", "canary-password-42"),
    ("HEADER", "canary-header-value"),
    ("HOOK", "canary-hook-token-99"),
];

fn json(output: &std::process::Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_holds_what_a_report_needs_and_no_secret() {
    let server = SimLitellm::start(Options::default()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (port, dead) = (server.port(), dead_port());
    let text = format!(
        r#"(backends: {{
            "llm": (kind: litellm, url: "http://127.0.0.1:{port}", api_key: "env:KEY", headers: {{ "x-team": "env:HEADER" }}),
            "app": (kind: gradio, url: "http://127.0.0.1:{dead}", login: (user: "me", password: "canary-password-42"),
                    proxy: "http://proxyuser:canary-proxy-pass@127.0.0.1:3128"),
        }}, notices: (webhook: (url: "http://127.0.0.1:{dead}/hook", headers: {{ "authorization": "env:HOOK" }})),
        http: (token: "canary-http-token-123456"))"#
    );
    std::fs::write(directory.path().join("backline.ron"), text).unwrap();
    let command = || {
        let mut command = binary(directory.path());
        command.envs(CANARIES).args(["--config", "backline.ron"]);
        command
    };
    let mut run = command();
    run.args(["-vv", "run", "--listen", "127.0.0.1:0"]);
    let mut child = run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let begun = lines.any(|line| line.is_ok_and(|line| line.starts_with("dashboard: ")));
    assert!(begun, "it did not start");
    // What it says further must not fill the pipe.
    let reader = std::thread::spawn(move || lines.map_while(Result::ok).count());
    let listed = loop {
        let listed = json(&command().args(["--json", "notices"]).output().unwrap());
        if listed["notices"].as_array().unwrap().iter().any(|n| n["code"] == "auth_wrong") {
            break listed;
        }
    };
    // Planted where nothing of ours puts a secret, to see that the bundle takes it out all the same.
    let log = directory.path().join("state/backline.log");
    let planted = "{\"message\":\"planted sk-canary-key-1234567890 and http://u:canary-url-pass@h/x?token=canary-query\"}\n";
    std::io::Write::write_all(
        &mut std::fs::OpenOptions::new().append(true).open(&log).unwrap(),
        planted.as_bytes(),
    )
    .unwrap();
    let doctor = command().args(["--json", "doctor", "--bundle", "report.json"]).output().unwrap();
    assert_eq!(doctor.status.code(), Some(1), "{doctor:?}");
    let report = std::fs::read_to_string(directory.path().join("report.json")).unwrap();
    let instance = std::fs::read_to_string(directory.path().join("state/instance.json")).unwrap();
    let instance: serde_json::Value = serde_json::from_str(&instance).unwrap();
    for shown in [&report, &String::from_utf8(doctor.stdout.clone()).unwrap(), &listed.to_string()] {
        assert!(!shown.contains("canary"), "{}", &shown[shown.find("canary").unwrap().saturating_sub(200)..]);
        assert!(!shown.contains(instance["token"].as_str().unwrap()), "the token is in it");
    }
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["backline"], env!("CARGO_PKG_VERSION"));
    assert!(
        report["log"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line["message"].as_str().is_some_and(|m| m.contains("planted (hidden)")))
    );
    assert!(
        report["configuration"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["path"] == "backends.llm.api_key" && row["value"] == "env:KEY")
    );
    assert_eq!(report["snapshot"]["tree"]["id"], "root");
    assert!(report["notices"]["notices"].as_array().unwrap().iter().any(|n| n["code"] == "auth_wrong"));
    let names: Vec<_> =
        report["checks"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect();
    for name in [
        "configuration",
        "state directory",
        "state database",
        "instance",
        "API port",
        "clock",
        "certificates",
        "backend llm",
        "backend app",
        "notice auth_wrong of llm",
    ] {
        assert!(names.iter().any(|n| n == name), "{name}: {names:?}");
    }
    let again = command().args(["doctor", "--bundle", "report.json"]).output().unwrap();
    assert_eq!(again.status.code(), Some(2), "a bundle is not written over");
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_place_has_nothing_wrong() {
    let server = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        r#"(backends: {{ "a": (kind: gradio, url: "http://127.0.0.1:{}") }}, discovery: (enabled: false))"#,
        server.server().port()
    );
    std::fs::write(directory.path().join("wrong.ron"), &text).unwrap();
    std::fs::write(directory.path().join("empty.ron"), "(discovery: (enabled: false))").unwrap();
    let doctor = |file: &str| {
        let mut command = binary(directory.path());
        command.args(["--json", "--config", file, "doctor"]).env("BACKLINE_LISTEN", "127.0.0.1:0");
        command.output().unwrap()
    };
    let well = doctor("empty.ron");
    assert_eq!(well.status.code(), Some(0), "{}", String::from_utf8_lossy(&well.stdout));
    let wrong = json(&doctor("wrong.ron"));
    let check =
        wrong["checks"].as_array().unwrap().iter().find(|c| c["name"] == "backend a").unwrap().clone();
    assert_eq!(check["ok"], false);
    let message = check["message"].as_str().unwrap();
    assert!(message.contains("answers, but it is ComfyUI"), "{message}");
    assert!(check["fix"].as_str().unwrap().contains("`kind: comfyui`"), "{check}");
    // The system takes its connections; nobody behind it ever answers.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = mute.local_addr().unwrap();
    std::fs::write(
        directory.path().join("mute.ron"),
        format!("(discovery: (ports: [\"{}\"]))", place.port()),
    )
    .unwrap();
    let mute = json(&doctor("mute.ron"));
    let told = format!("http://{place} takes connections and does not say what it is");
    assert!(mute["checks"].as_array().unwrap().iter().any(|c| c["message"] == told.as_str()), "{mute}");
    let broken = json(&{
        std::fs::write(directory.path().join("broken.ron"), "(backends: 1)").unwrap();
        doctor("broken.ron")
    });
    assert!(
        broken["checks"].as_array().unwrap().iter().any(|c| c["name"] == "configuration" && c["ok"] == false)
    );
}
