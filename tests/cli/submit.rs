//! A submit that is one of two, is interrupted, or whose instance is killed.
#![cfg(unix)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Stdio},
};

use backline::sim::{
    comfyui::{SimComfyui, Version},
    gradio::{Options as GradioOptions, SimGradio, Version as GradioVersion},
    litellm::{Options as LitellmOptions, SimLitellm},
};
use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::{
    binary::{Ended, Place},
    jobs::{configured, flow, last},
};

/// A submit under way, whose lines are read as they come.
struct Submit {
    child: Option<Child>,
    lines: BufReader<ChildStdout>,
}

impl Submit {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut command = place.command(&[&["--json", "submit"], arguments].concat());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child: Some(child), lines }
    }

    /// Reads on to the first line that fits.
    fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "it ended: {}", self.end().err);
            let document: Value = serde_json::from_str(&line).unwrap();
            if fits(&document) {
                return document;
            }
        }
    }

    fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.as_ref().unwrap().id();
        kill(nix::unistd::Pid::from_raw(i32::try_from(id).unwrap()), signal).unwrap();
    }

    fn end(&mut self) -> Ended {
        let mut rest = String::new();
        while self.lines.read_line(&mut rest).unwrap() > 0 {}
        let ended = Ended::new(self.child.take().unwrap().wait_with_output().unwrap());
        Ended { out: rest, ..ended }
    }
}

impl Drop for Submit {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // One that has ended already needs no kill.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn is_running(job: &Value) -> bool {
    job["state"] == "running"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_submit_with_the_same_key_joins_the_first_and_both_see_its_end() {
    let options = GradioOptions { step: std::time::Duration::from_millis(100), ..GradioOptions::default() };
    let sim = SimGradio::start(GradioVersion::V6_31_0, options).await.unwrap();
    let port = sim.server().port();
    let config = format!(r#"(backends: {{ "app": (kind: gradio, url: "http://127.0.0.1:{port}") }})"#);
    spawn_blocking(move || {
        let place = Place::new();
        place.write("backline.ron", &config);
        let ask = |steps: &str| {
            let data = format!(r#"["a cat", {steps}]"#);
            ["app", "--call", "/stream", "--data", &data, "--key", "k"].map(str::to_owned)
        };
        let submit = ask("30");
        let submit = submit.each_ref().map(String::as_str);
        // No instance runs: the first is one, which the second finds.
        let mut first = Submit::start(&place, &submit);
        let id = first.until(is_running)["id"].as_str().unwrap().to_owned();
        let mut second = Submit::start(&place, &submit);
        second.until(is_running);
        let another = ask("31");
        let other = place.run(&[&["submit"], &another.each_ref().map(String::as_str)[..]].concat());
        assert_eq!(other.code, 1, "{}", other.err);
        assert!(other.err.contains("the key `k` stands for another request"), "{}", other.err);
        for ended in [first.end(), second.end()] {
            assert_eq!(ended.code, 0, "{}", ended.err);
            let job = last(&ended.out);
            assert_eq!((&job["id"], &job["state"]), (&Value::from(id.as_str()), &Value::from("done")));
            assert_eq!(job["attempts"], 1);
        }
    })
    .await
    .unwrap();
    assert_eq!(sim.begun("stream", "a cat"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submit_whose_instance_is_killed_goes_on_as_the_instance_and_saves_the_files() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let place = configured(&sim);
    spawn_blocking(move || {
        place.write("some.json", &flow(40));
        let submit = ["comfyui", "--workflow", "some.json", "--key", "k", "--out", "files"];
        let mut first = Submit::start(&place, &submit);
        let id = first.until(is_running)["id"].as_str().unwrap().to_owned();
        let mut second = Submit::start(&place, &submit);
        second.until(is_running);
        first.signal(Signal::SIGKILL);
        let ended = second.end();
        assert_eq!(ended.code, 0, "{}", ended.err);
        let job = last(&ended.out);
        assert_eq!((&job["id"], &job["attempts"]), (&Value::from(id), &Value::from(1)), "{job:#}");
        let outputs = job["outputs"].as_array().unwrap();
        assert!(!outputs.is_empty(), "{job:#}");
        for output in outputs {
            let bytes = std::fs::read(place.path().join(output["url"].as_str().unwrap())).unwrap().len();
            assert_eq!(Value::from(bytes), output["bytes"]);
        }
    })
    .await
    .unwrap();
    assert_eq!(sim.all_executions(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_watching_and_the_job_goes_on_at_the_instance() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let place = configured(&sim);
    spawn_blocking(move || {
        place.write("some.json", &flow(40));
        let _running = place.start(&["run", "--listen", "127.0.0.1:0"]);
        let mut submit = Submit::start(&place, &["comfyui", "--workflow", "some.json"]);
        let id = submit.until(is_running)["id"].as_str().unwrap().to_owned();
        submit.interrupt();
        let ended = submit.end();
        assert_eq!(ended.code, 130, "{}", ended.err);
        assert!(ended.err.contains("the job goes on at the running instance"), "{}", ended.err);
        let watched = place.run(&["--json", "jobs", "watch", &id]);
        assert_eq!(
            (watched.code, &last(&watched.out)["state"]),
            (0, &Value::from("done")),
            "{}",
            watched.err
        );
    })
    .await
    .unwrap();
    assert_eq!(sim.all_executions(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_of_a_submit_that_is_the_instance_leaves_the_job_to_the_next() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let place = configured(&sim);
    spawn_blocking(move || {
        // Longer than a stop is waited for.
        place.write("some.json", &flow(200));
        let mut submit = Submit::start(&place, &["comfyui", "--workflow", "some.json"]);
        let id = submit.until(is_running)["id"].as_str().unwrap().to_owned();
        submit.interrupt();
        let ended = submit.end();
        assert_eq!(ended.code, 130, "{}", ended.err);
        let says = format!("job {id} goes on at its backend; the next start takes it up");
        assert!(ended.err.contains(&says), "{}", ended.err);
        let _running = place.start(&["run", "--listen", "127.0.0.1:0"]);
        let watched = place.run(&["--json", "jobs", "watch", &id]);
        let job = last(&watched.out);
        assert_eq!((&job["state"], &job["attempts"]), (&Value::from("done"), &Value::from(1)), "{job:#}");
    })
    .await
    .unwrap();
    assert_eq!(sim.all_executions(), 1);
}

/// Kills `run` with a job in the middle that dies with it, and starts it again: nobody can say how the job ended.
fn killed_in_the_middle(place: &Place, submit: &[&str]) {
    let mut running = place.start(&["run", "--listen", "127.0.0.1:0"]);
    let mut submit = Submit::start(place, submit);
    let id = submit.until(is_running)["id"].as_str().unwrap().to_owned();
    running.signal(Signal::SIGKILL);
    running.wait();
    drop(submit);
    let _running = place.start(&["run", "--listen", "127.0.0.1:0"]);
    let watched = place.run(&["--json", "jobs", "watch", &id]);
    let job = last(&watched.out);
    assert_eq!((watched.code, &job["state"]), (5, &Value::from("uncertain")), "{job:#}");
    assert_eq!(
        (&job["attempts"], &job["error"]["code"]),
        (&Value::from(1), &Value::from("uncertain")),
        "{job:#}"
    );
    let steps = job["timeline"].as_array().unwrap();
    assert!(steps.iter().all(|step| !step["evidence"].as_str().unwrap().is_empty()), "{job:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gradio_call_of_a_killed_instance_is_uncertain_and_runs_once() {
    let options = GradioOptions { step: std::time::Duration::from_millis(200), ..GradioOptions::default() };
    let sim = SimGradio::start(GradioVersion::V6_31_0, options).await.unwrap();
    let port = sim.server().port();
    let config = format!(r#"(backends: {{ "app": (kind: gradio, url: "http://127.0.0.1:{port}") }})"#);
    spawn_blocking(move || {
        let place = Place::new();
        place.write("backline.ron", &config);
        killed_in_the_middle(&place, &["app", "--call", "/stream", "--data", r#"["a cat", 100]"#]);
    })
    .await
    .unwrap();
    assert_eq!(sim.begun("stream", "a cat"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_of_a_killed_instance_is_uncertain_and_is_asked_once() {
    let options = LitellmOptions {
        pieces: 100,
        pace: std::time::Duration::from_millis(200),
        ..LitellmOptions::default()
    };
    let sim = SimLitellm::start(options).await.unwrap();
    let (port, key) = (sim.port(), sim.key().to_owned());
    let config = format!(
        r#"(backends: {{ "llm": (kind: litellm, url: "http://127.0.0.1:{port}", api_key: "file:key") }})"#
    );
    spawn_blocking(move || {
        let place = Place::new();
        place.write("backline.ron", &config);
        place.write("key", &key);
        killed_in_the_middle(&place, &["llm", "--chat", "Why is the sky blue?", "--model", "stub"]);
    })
    .await
    .unwrap();
    assert_eq!(sim.executions(), 1);
}
