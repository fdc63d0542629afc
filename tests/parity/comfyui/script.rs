//! The script's hands: requests, and lines of the trace.

use std::time::Duration;

use http::{HeaderMap, Method, header};
use serde_json::{Value, json};

use super::normal::Names;

/// Longer than anything takes.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// One run of the script.
pub struct Script {
    pub base: String,
    pub names: Names,
    pub lines: Vec<String>,
    http: reqwest::Client,
    /// Makes this run's inputs unlike those of any other: nothing is cached but by this run.
    tag: u32,
    nonce: u32,
}

/// What a server answered.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Script {
    pub fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            names: Names::default(),
            lines: Vec::new(),
            http: reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap(),
            tag: fastrand::u32(1..0xff_ffff),
            nonce: fastrand::u32(1..1_000_000_000),
        }
    }

    /// The headline of a scene.
    pub fn scene(&mut self, name: &str) {
        self.lines.push(format!("# {name}"));
    }

    pub fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// A name that only this run uses; in the trace it stands as `TAG`.
    pub fn tagged(&self, name: &str) -> String {
        format!("{:06x}{name}", self.tag)
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body).send().await.unwrap_or_else(|e| panic!("{path}: {e}"));
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, body: answer.bytes().await.unwrap().to_vec() }
    }

    /// Asks and writes down the answer.
    pub async fn ask(&mut self, method: Method, path: &str, body: &str) -> Answer {
        let answer = self.send(method.clone(), path, &[], body.as_bytes().to_vec()).await;
        self.write(&format!("{method} {path}"), &answer);
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, "").await
    }

    /// Writes down an answer: status, type, and the body where it is text.
    pub fn write(&mut self, what: &str, answer: &Answer) {
        let what = what.split('/').map(|part| self.names.text(part)).collect::<Vec<_>>().join("/");
        let media = answer.headers.get(header::CONTENT_TYPE).map_or("-", |t| t.to_str().unwrap());
        let body = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(value) => self.names.value(&value).to_string(),
            Err(_) => format!("{:?}", String::from_utf8_lossy(&answer.body)),
        };
        let tag = self.tagged("");
        self.lines.push(format!("{what} -> {} {media} {body}", answer.status).replace(&tag, "TAG"));
    }

    /// A graph: an image of this run's colour, a slow node, and an output. Each call is new to the cache.
    pub fn graph(&mut self, steps: u32, delay: f64, extra: Value) -> Value {
        self.nonce += 1;
        let mut slow = json!({"image": ["1", 0], "steps": steps, "delay": delay, "preview": false, "fail_at": -1,
            "nonce": self.nonce});
        for (name, value) in extra.as_object().into_iter().flatten() {
            slow[name] = value.clone();
        }
        json!({
            "1": {"class_type": "EmptyImage",
                "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": self.tag}},
            "2": {"class_type": "WireSlow", "inputs": slow},
            "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
        })
    }

    /// Sends a prompt and writes down the answer; gives its id.
    pub async fn prompt(&mut self, graph: &Value, client: Option<&str>, id: Option<&str>) -> String {
        let mut body = json!({"prompt": graph});
        if let Some(client) = client {
            body["client_id"] = json!(client);
        }
        if let Some(id) = id {
            body["prompt_id"] = json!(id);
        }
        let answer = self.ask(Method::POST, "/prompt", &body.to_string()).await;
        answer.json()["prompt_id"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until history has a job, then writes down what it has.
    pub async fn history(&mut self, id: &str) {
        let path = format!("/history/{id}");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.send(Method::GET, &path, &[], vec![]).await.json().get(id).is_none() {
            assert!(tokio::time::Instant::now() < deadline, "history never has {id}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.get(&path).await;
    }

    /// Waits until nothing runs and nothing is queued.
    pub async fn idle(&self) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.send(Method::GET, "/prompt", &[], vec![]).await.json()["exec_info"]["queue_remaining"] != 0
        {
            assert!(tokio::time::Instant::now() < deadline, "the queue never empties");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A fresh prompt id.
pub fn id() -> String {
    uuid::Uuid::new_v4().to_string()
}
