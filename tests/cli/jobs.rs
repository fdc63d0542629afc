//! Jobs by the command line: given to a running instance, or done by the command itself.
#![cfg(unix)]

use backline::sim::comfyui::{SimComfyui, Version};
use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::binary::Place;

/// A workflow of so many steps, 50 ms each.
pub(crate) fn flow(steps: u32) -> String {
    format!(
        r#"{{"1":{{"class_type":"EmptyImage","inputs":{{"width":8,"height":8,"batch_size":1,"color":1}}}},
        "2":{{"class_type":"WireSlow","inputs":{{"image":["1",0],"steps":{steps},"delay":0.05,"preview":false,"fail_at":-1,"nonce":{steps}}}}},
        "3":{{"class_type":"SaveImage","inputs":{{"images":["2",0],"filename_prefix":"x"}}}}}}"#
    )
}

pub(crate) fn configured(sim: &SimComfyui) -> Place {
    let place = Place::new();
    let port = sim.server().port();
    let text = format!(
        r#"(backends: {{ "comfyui": (kind: comfyui, url: "http://127.0.0.1:{port}", required: true) }})"#
    );
    place.write("backline.ron", &text);
    place.write("flow.json", &flow(3));
    place.write("long.json", &flow(2000));
    place
}

pub(crate) fn last(lines: &str) -> Value {
    serde_json::from_str(lines.lines().last().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_instance_takes_shows_cancels_retries_and_erases_jobs() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let place = configured(&sim);
    spawn_blocking(move || {
        let mut running = place.start(&["run", "--listen", "127.0.0.1:0"]);
        let submit = ["--json", "submit", "comfyui", "--workflow", "flow.json", "--key", "k", "--detach"];
        let first = place.run(&submit);
        assert_eq!(first.code, 0, "{}", first.err);
        let id = first.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(place.run(&submit).json()["id"], id.as_str(), "the key made another job");
        let watched = place.run(&["--json", "jobs", "watch", &id]);
        assert_eq!(
            (watched.code, &last(&watched.out)["state"]),
            (0, &Value::from("done")),
            "{}",
            watched.err
        );
        let listed = place.run(&["--json", "jobs", "list", "--state", "done"]).json();
        assert_eq!((&listed["jobs"][0]["id"], &listed["next"]), (&Value::from(id.as_str()), &Value::Null));
        assert!(place.run(&["jobs"]).out.contains(&id));
        assert!(place.run(&["jobs", "show", &id]).out.contains("accepted"));

        let long = place.run(&["submit", "comfyui", "--workflow", "long.json", "--detach"]);
        let long = long.out.trim().to_owned();
        let newest = place.run(&["jobs", "list", "--limit", "1"]);
        assert!(
            newest.out.contains(&long) && newest.err.contains(&format!("--before {long}")),
            "{}",
            newest.err
        );
        let older = place.run(&["--json", "jobs", "list", "--before", &long]).json();
        assert_eq!(
            (older["jobs"].as_array().unwrap().len(), &older["jobs"][0]["id"]),
            (1, &Value::from(id.as_str()))
        );
        assert_eq!(place.run(&["jobs", "purge", &long]).code, 1, "it is open");
        assert_eq!(place.run(&["jobs", "cancel", &long]).code, 0);
        let ended = place.run(&["jobs", "watch", &long]);
        assert_eq!(ended.code, 1, "{}", ended.err);
        assert!(ended.err.contains("cancelled"), "{}", ended.err);
        assert_eq!(place.run(&["jobs", "retry", &id]).code, 1, "it is done");
        assert_eq!(place.run(&["jobs", "purge", &id]).code, 0);
        assert_eq!(place.run(&["jobs", "show", &id]).code, 1);
        assert_eq!(place.run(&["submit", "comfy", "--chat", "x"]).code, 2);
        running.signal(Signal::SIGTERM);
        assert_eq!(running.wait().0, 0);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submit_to_an_instance_saves_its_files_and_a_dry_run_only_says_what_lacks() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let place = configured(&sim);
    spawn_blocking(move || {
        place.write("bad.json", &flow(3).replace("WireSlow", "NoSuchNode"));
        let dry = place.run(&["submit", "workflow.run", "--workflow", "bad.json", "--dry-run"]);
        assert_eq!(dry.code, 1, "{}", dry.err);
        assert_eq!(dry.out.trim(), "comfyui lacks node NoSuchNode");
        let _running = place.start(&["run", "--listen", "127.0.0.1:0"]);
        let dry = place.run(&["--json", "submit", "comfyui", "--workflow", "flow.json", "--dry-run"]);
        assert_eq!(dry.json()["candidates"][0]["backend"], "comfyui");
        for name in ["0.png", "0-1.png"] {
            let ended =
                place.run(&["--json", "submit", "comfyui", "--workflow", "flow.json", "--out", "pictures"]);
            assert_eq!(ended.code, 0, "{}", ended.err);
            let job = last(&ended.out);
            let bytes = std::fs::read(place.path().join("pictures").join(name)).unwrap();
            assert_eq!(job["outputs"][0]["bytes"], bytes.len(), "{job}");
            assert!(job["outputs"][0]["url"].as_str().unwrap().ends_with(name), "{job}");
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_instance_leaves_its_job_to_the_next_which_ends_it_in_one_attempt() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let place = configured(&sim);
    spawn_blocking(move || {
        place.write("some.json", &flow(30));
        let mut running = place.start(&["run", "--listen", "127.0.0.1:0"]);
        let accepted = place.run(&["submit", "comfyui", "--workflow", "some.json", "--detach"]);
        assert_eq!(accepted.code, 0, "{}", accepted.err);
        running.signal(Signal::SIGKILL);
        running.wait();
        let _running = place.start(&["run", "--listen", "127.0.0.1:0"]);
        let watched = place.run(&["--json", "jobs", "watch", accepted.out.trim()]);
        let job = last(&watched.out);
        assert_eq!((&job["state"], &job["attempts"]), (&Value::from("done"), &Value::from(1)), "{job:#}");
        assert_eq!(job["outputs"].as_array().unwrap().len(), 1);
    })
    .await
    .unwrap();
    assert_eq!(sim.all_executions(), 1);
}
