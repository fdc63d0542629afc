//! The scenes of the script.

use std::time::Duration;

use reqwest::{Client, Method, Response, redirect};
use serde_json::{Value, json};

use super::normal;

const BOTH: &str = "application/json, text/event-stream";
/// Longest generation of the script.
const LONGEST: Duration = Duration::from_secs(20);

/// A script under way, and what it saw.
pub struct Script {
    base: String,
    http: Client,
    pub lines: Vec<String>,
}

impl Script {
    pub fn new(base: &str) -> Self {
        let http = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
        Self { base: base.to_owned(), http, lines: Vec::new() }
    }

    /// What answers where.
    pub async fn doors(&mut self) {
        for path in ["/", "/config", "/mcp", "/wangp_api/gallery/download/nope"] {
            self.plain(Method::GET, path, "*/*", "").await;
        }
        self.plain(Method::GET, "/mcp/", "*/*", "").await;
        self.plain(Method::DELETE, "/mcp/", BOTH, "").await;
        self.plain(Method::PUT, "/wangp_api/gallery/upload/nope", "*/*", "x").await;
        let hello = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}"#;
        for accept in ["*/*", "application/json", "text/event-stream"] {
            self.plain(Method::POST, "/mcp/", accept, hello).await;
        }
        self.plain(Method::POST, "/mcp", BOTH, hello).await;
        self.plain(Method::POST, "/mcp/", BOTH, "{x").await;
        let notification = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        self.plain(Method::POST, "/mcp/", BOTH, notification).await;
        let stream = self.send(Method::GET, "/mcp/", "text/event-stream", String::new()).await;
        self.head("GET /mcp/ (event stream)", &stream);
    }

    pub async fn protocol(&mut self) {
        let client = json!({ "name": "wire", "version": "1" });
        let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
        self.method("initialize", hello).await;
        self.method("ping", json!({})).await;
        self.method("no/such", json!({})).await;
        let tools = self.rpc("tools/list", json!({})).await;
        let names: Vec<&str> = tools["result"]["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["name"].as_str().unwrap())
            .collect();
        for name in [
            "wangp_list_models",
            "wangp_get_model_schema",
            "wangp_create_gallery_upload",
            "wangp_create_gallery_download",
            "wangp_generate",
            "wangp_get_job",
            "wangp_cancel_job",
        ] {
            self.lines.push(format!("tool {name}: {}", names.contains(&name)));
        }
    }

    pub async fn models(&mut self) {
        self.tool("wangp_list_models", json!({})).await;
        self.tool("wangp_list_models", json!({ "main_output": "video", "limit": 1 })).await;
        self.tool("wangp_list_models", json!({ "main_output": "video", "limit": 10, "offset": 1 })).await;
        self.tool("wangp_list_models", json!({ "main_output": "text", "limit": 1 })).await;
        self.tool("wangp_get_model_schema", json!({ "model_type": "flux" })).await;
        self.tool("wangp_get_model_schema", json!({ "model_type": "nope" })).await;
    }

    pub async fn generations(&mut self) {
        for (model, prompt) in [("flux", "a cat"), ("t2v", "fail"), ("t2v", "oom"), ("t2v", "invalid")] {
            let job = self.begin(json!({ "model_type": model, "prompt": prompt })).await;
            self.lines.push(format!("generation {model} {prompt}"));
            self.end(&job, 50).await;
        }
        let job =
            self.begin(json!({ "model_type": "t2v", "prompt": "long", "num_inference_steps": 200 })).await;
        self.tool("wangp_generate", json!({ "source": { "model_type": "t2v" } })).await;
        let asked = self.call("wangp_cancel_job", json!({ "job_id": job, "event_limit": 0 })).await;
        self.lines.push("cancelled".to_owned());
        self.lines.push(format!("  {}", normal::document(&asked["structuredContent"])));
        self.end(&job, 2).await;
        // A cancel of what is over changes nothing.
        let asked = self.call("wangp_cancel_job", json!({ "job_id": job, "event_limit": 0 })).await;
        self.lines.push(format!("  {}", normal::document(&asked["structuredContent"])));
    }

    pub async fn transfers(&mut self) {
        let job = self.begin(json!({ "model_type": "ace_step", "prompt": "song" })).await;
        let done = self.wait(&job, 0).await;
        let id = done["result"]["gallery_items"][0]["gallery_id"].as_str().unwrap().to_owned();
        self.tool("wangp_create_gallery_download", json!({ "gallery_id": id })).await;
        let whole = self.download(&id, None).await;
        let rest = self.download(&id, Some("bytes=10-")).await;
        self.lines.push(format!("the rest is the end of the whole: {}", whole[10..] == rest[..]));
        let image = self.begin(json!({ "model_type": "flux", "prompt": "picture" })).await;
        let done = self.wait(&image, 0).await;
        let id = done["result"]["gallery_items"][0]["gallery_id"].as_str().unwrap().to_owned();
        let picture = self.download(&id, None).await;
        for (name, bytes) in [("in.png", picture), ("bad.png", b"no picture".to_vec())] {
            let ticket = self.call("wangp_create_gallery_upload", json!({ "filename": name })).await;
            let ticket = &ticket["structuredContent"];
            self.lines.push(format!("upload {name} {}", normal::document(ticket)));
            let path = ticket["upload_url"].as_str().unwrap().to_owned();
            let answer = self.send(Method::PUT, &path, "*/*", bytes).await;
            self.show("PUT", answer).await;
        }
    }

    pub async fn complaints(&mut self) {
        for job in ["zz", ""] {
            self.tool("wangp_get_job", json!({ "job_id": job })).await;
            self.tool("wangp_cancel_job", json!({ "job_id": job })).await;
        }
        self.tool("nope", json!({})).await;
        self.tool("wangp_create_gallery_upload", json!({ "filename": "x.txt" })).await;
        self.tool("wangp_create_gallery_download", json!({ "gallery_id": "visual:0" })).await;
        for file in ["/etc/passwd", "visual:0"] {
            self.tool("wangp_generate", json!({ "source": { "model_type": "i2v", "image_start": file } }))
                .await;
        }
    }

    async fn begin(&self, settings: Value) -> String {
        let begun = self.call("wangp_generate", json!({ "source": settings })).await;
        begun["structuredContent"]["job_id"].as_str().unwrap_or_else(|| panic!("{begun}")).to_owned()
    }

    async fn wait(&self, job: &str, events: u32) -> Value {
        let deadline = tokio::time::Instant::now() + LONGEST;
        loop {
            let asked = json!({ "job_id": job, "event_limit": events });
            let now = self.call("wangp_get_job", asked).await["structuredContent"].clone();
            // A job is done a moment before its last event is listed (seen with 12.60).
            let last = now["events"].as_array().and_then(|all| all.last());
            let told = events == 0 || last.is_some_and(|event| event["kind"] == "completed");
            if now["done"] == true && !now["result"].is_null() && told {
                return now;
            }
            assert!(tokio::time::Instant::now() < deadline, "no end: {now}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What a job was, an event a line.
    async fn end(&mut self, job: &str, events: u32) {
        let ended = normal::document(&self.wait(job, events).await);
        for event in ended["events"].as_array().unwrap() {
            self.lines.push(format!("  {event}"));
        }
        let mut rest = ended;
        rest["events"] = Value::Null;
        self.lines.push(format!("  {rest}"));
    }

    async fn download(&mut self, id: &str, range: Option<&str>) -> Vec<u8> {
        let ticket = self.call("wangp_create_gallery_download", json!({ "gallery_id": id })).await;
        let url = format!("{}{}", self.base, ticket["structuredContent"]["download_url"].as_str().unwrap());
        let mut request = self.http.get(url);
        if let Some(range) = range {
            request = request.header("range", range);
        }
        let answer = request.send().await.unwrap();
        self.head(&format!("download {range:?}"), &answer);
        let resumed = answer.headers().contains_key("content-range");
        self.lines.push(format!("  resumed: {resumed}"));
        answer.bytes().await.unwrap().to_vec()
    }

    async fn tool(&mut self, tool: &str, arguments: Value) {
        self.lines.push(format!("{tool} {}", normal::document(&arguments)));
        let result = self.call(tool, arguments).await;
        let shown = match result.get("structuredContent") {
            Some(document) => normal::document(document),
            None => normal::document(&result["content"]),
        };
        self.lines.push(format!("  error: {} {shown}", result["isError"]));
        self.lines.push(format!("  the text says the same: {}", agrees(&result)));
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.rpc("tools/call", json!({ "name": tool, "arguments": arguments })).await["result"].clone()
    }

    async fn method(&mut self, method: &str, params: Value) {
        let answer = self.rpc(method, params).await;
        self.lines.push(format!("{method}: {}", normal::document(&answer)));
    }

    async fn rpc(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        self.send(Method::POST, "/mcp/", BOTH, body.to_string()).await.json().await.unwrap()
    }

    async fn plain(&mut self, method: Method, path: &str, accept: &str, body: &'static str) {
        let what = format!("{method} {path} accepting {accept}");
        let answer = self.send(method, path, accept, body).await;
        self.show(&what, answer).await;
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        accept: &str,
        body: impl Into<reqwest::Body>,
    ) -> Response {
        let request = self.http.request(method, format!("{}{path}", self.base)).header("accept", accept);
        request.header("content-type", "application/json").body(body).send().await.unwrap()
    }

    fn head(&mut self, what: &str, answer: &Response) {
        let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        let (media, server) = (header("content-type"), header("server"));
        let place = header("location").map(|place| place.replace(&self.base, "BASE"));
        self.lines.push(format!("{what}: {} {media:?} {server:?} {place:?}", answer.status().as_u16()));
    }

    async fn show(&mut self, what: &str, answer: Response) {
        self.head(what, &answer);
        let body = answer.text().await.unwrap();
        let shown = match serde_json::from_str::<Value>(&body) {
            Ok(document) => normal::document(&document).to_string(),
            Err(_) => normal::text(&body),
        };
        self.lines.push(format!("  {shown}"));
    }
}

/// Whether the text of a tool's answer is its structured content.
fn agrees(result: &Value) -> bool {
    let Some(document) = result.get("structuredContent") else { return result["isError"] == true };
    let texts: Vec<Value> = result["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| serde_json::from_str(part["text"].as_str().unwrap()).unwrap())
        .collect();
    match &document["result"] {
        Value::Array(list) => *list == texts,
        _ if texts.is_empty() => document["result"].is_null(),
        Value::Null => texts == [document.clone()],
        wrapped => texts == [wrapped.clone()],
    }
}
