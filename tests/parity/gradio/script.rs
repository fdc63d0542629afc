//! The script's hands: requests, streams, and lines of the trace.

use std::time::Duration;

use backline::net::sse::SseDecoder;
use http::{HeaderMap, Method, header};
use serde_json::{Value, json};

use super::normal::Names;

/// Longer than anything takes.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// So long nothing comes where nothing will come.
pub const SILENCE: Duration = Duration::from_millis(600);

/// One run of the script.
pub struct Script {
    pub base: String,
    /// Where the API's routes begin.
    pub api: String,
    pub names: Names,
    pub lines: Vec<String>,
    pub cookie: Option<String>,
    http: reqwest::Client,
    sessions: u32,
    tag: String,
}

/// What an app answered.
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

/// A stream under the script's eyes.
pub struct Stream {
    answer: reqwest::Response,
    decoder: SseDecoder,
}

/// What came of a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Came {
    Message(Value),
    End,
    Silence,
}

impl Script {
    pub async fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        // A kept connection may meet its end: uvicorn closes it after 5 s.
        let http = http.pool_max_idle_per_host(0).timeout(PATIENCE).build().unwrap();
        // The one route that both have, and that needs no log-in.
        let path = format!("{base}/gradio_api/app_id");
        let new = http.get(path).send().await.unwrap().status() == 200;
        Self {
            base: base.to_owned(),
            api: if new { "/gradio_api".to_owned() } else { String::new() },
            names: Names::default(),
            lines: Vec::new(),
            cookie: None,
            http,
            sessions: 0,
            tag: format!("{:08x}", fastrand::u32(..)),
        }
    }

    /// The headline of a scene.
    pub fn scene(&mut self, name: &str) {
        self.lines.push(format!("# {name}"));
    }

    pub fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// A session hash that nobody has used.
    pub fn session(&mut self) -> String {
        self.sessions += 1;
        format!("s{}{}", self.tag, self.sessions)
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        }
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, body: answer.bytes().await.unwrap().to_vec() }
    }

    /// Asks and writes down the answer.
    pub async fn get(&mut self, path: &str) -> Answer {
        let answer = self.send(self.request(Method::GET, path)).await;
        self.write(&format!("GET {path}"), &answer);
        answer
    }

    pub async fn post(&mut self, path: &str, kind: &str, body: &str) -> Answer {
        let request =
            self.request(Method::POST, path).header(header::CONTENT_TYPE, kind).body(body.to_owned());
        let answer = self.send(request).await;
        self.write(&format!("POST {path} {body}"), &answer);
        answer
    }

    /// Writes down an answer: status, type, and the body where it is JSON; of other texts the size of the surprise.
    pub fn write(&mut self, what: &str, answer: &Answer) {
        let what = self.names.text(&what.replace(&self.tag, "TAG"));
        let media = answer.headers.get(header::CONTENT_TYPE).map_or("-", |t| t.to_str().unwrap());
        let body = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(value) => self.names.value(&value).to_string(),
            Err(_) if answer.status >= 500 => "(text)".to_owned(),
            Err(_) if media.starts_with("text/html") => "(page)".to_owned(),
            Err(_) => format!("{:?}", String::from_utf8_lossy(&answer.body)),
        };
        let media = media.split(';').next().unwrap_or_default();
        self.lines.push(format!("{what} -> {} {media} {body}", answer.status));
    }

    /// Joins the queue without writing it down; gives the event.
    pub async fn join(&self, session: &str, function: u64, data: &Value) -> Answer {
        let body = json!({"data": data, "fn_index": function, "session_hash": session, "event_data": null,
            "trigger_id": null});
        let path = format!("{}/queue/join", self.api);
        self.send(self.request(Method::POST, &path).json(&body)).await
    }

    pub async fn open(&self, session: &str) -> Stream {
        let path = format!("{}/queue/data?session_hash={session}", self.api);
        let answer = self.request(Method::GET, &path).send().await.unwrap();
        Stream { answer, decoder: SseDecoder::new(1 << 20) }
    }

    /// Calls a function by the simple API.
    pub async fn simply(&mut self, name: &str, data: &Value) -> Answer {
        let request = self.request(Method::POST, &format!("{}/call/{name}", self.api));
        let answer = self.send(request.json(&json!({ "data": data }))).await;
        self.write(&format!("call {name} {data}"), &answer);
        answer
    }

    /// Reads what the simple API tells of a call, to its end.
    pub async fn hear(&mut self, name: &str, event: &str) {
        let path = format!("{}/call/{name}/{event}", self.api);
        let answer = self.request(Method::GET, &path).send().await.unwrap();
        let (mut stream, mut last) = (Stream { answer, decoder: SseDecoder::new(1 << 20) }, String::new());
        loop {
            if let Some(event) = stream.decoder.next_event().unwrap() {
                let data = self.names.value(&serde_json::from_str(&event.data).unwrap());
                last = format!("  {}: {data}", event.event);
                self.lines.push(last.clone());
                continue;
            }
            match tokio::time::timeout(PATIENCE, stream.answer.chunk()).await {
                Ok(Ok(Some(chunk))) => stream.decoder.feed(&chunk),
                Ok(Ok(None) | Err(_)) => break,
                Err(_) => panic!("silence after {last}"),
            }
        }
    }

    /// The length of the queue.
    pub async fn queue(&self) -> u64 {
        let path = format!("{}/queue/status", self.api);
        self.send(self.request(Method::GET, &path)).await.json()["queue_size"].as_u64().unwrap()
    }

    /// Waits until the queue has this length: dropped streams are noticed a moment later.
    pub async fn until_queue(&self, length: u64) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.queue().await != length {
            assert!(tokio::time::Instant::now() < deadline, "the queue never has length {length}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn cancel(&self, session: &str, function: u64, event: &str) -> Answer {
        let body = json!({"session_hash": session, "fn_index": function, "event_id": event});
        self.send(self.request(Method::POST, &format!("{}/cancel", self.api)).json(&body)).await
    }

    /// Reads a stream to its end or its silence, and writes down what came. Progress that differs in its step only is
    /// one line: how many of the steps are seen is chance.
    pub async fn read(&mut self, stream: &mut Stream) {
        loop {
            match stream.next(PATIENCE).await {
                Came::Message(message) => self.message(&message),
                came => return self.line(format!("  {came:?}")),
            }
        }
    }

    /// Reads a stream until a message of this kind, and writes down what came.
    pub async fn read_until(&mut self, stream: &mut Stream, kind: &str) {
        loop {
            match stream.next(PATIENCE).await {
                Came::Message(message) => {
                    self.message(&message);
                    if message["msg"] == kind {
                        return;
                    }
                }
                came => panic!("{came:?} before {kind}"),
            }
        }
    }

    fn message(&mut self, message: &Value) {
        let mut message = self.names.value(message);
        if message["msg"] == "progress" {
            // The last step's may come too late to be seen.
            if message["progress_data"][0]["length"] == 1 {
                return;
            }
            message["progress_data"][0]["index"] = json!("step");
        }
        let line = format!("  {message}");
        if self.lines.last() != Some(&line) {
            self.lines.push(line);
        }
    }

    /// One call from its join to the end of its stream.
    pub async fn call(&mut self, what: &str, function: u64, data: Value) -> Value {
        let session = self.session();
        let joined = self.join(&session, function, &data).await;
        self.write(what, &joined);
        let mut stream = self.open(&session).await;
        let mut last = Value::Null;
        loop {
            match stream.next(PATIENCE).await {
                Came::Message(message) => {
                    self.message(&message);
                    if message["msg"] == "process_completed" {
                        last = message;
                    }
                }
                came => {
                    self.line(format!("  {came:?}"));
                    return last;
                }
            }
        }
    }
}

impl Stream {
    pub fn status(&self) -> u16 {
        self.answer.status().as_u16()
    }

    pub async fn next(&mut self, patience: Duration) -> Came {
        loop {
            if let Some(event) = self.decoder.next_event().unwrap() {
                return match serde_json::from_str(&event.data) {
                    Ok(message) => Came::Message(message),
                    Err(_) => Came::Message(json!(event.data)),
                };
            }
            match tokio::time::timeout(patience, self.answer.chunk()).await {
                Ok(Ok(Some(chunk))) => self.decoder.feed(&chunk),
                // An exception after the head cuts the answer; what counts is what came before.
                Ok(Ok(None) | Err(_)) => return Came::End,
                Err(_) => return Came::Silence,
            }
        }
    }
}
