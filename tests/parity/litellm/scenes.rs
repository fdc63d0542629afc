//! The scenes of the script.

use serde_json::Value;

use super::{
    normal,
    raw::{self, Reply},
};

/// Models of `tests/backends/litellm.yaml` whose whole answers are asked for.
const WHOLE: [&str; 13] = [
    "mock",
    "stub",
    "r429",
    "r500",
    "r400",
    "hang",
    "garbage",
    "down",
    "mock-ratelimit",
    "midcut",
    "midclose",
    "miderr",
    "midhang",
];
const STREAMED: [&str; 13] = [
    "mock",
    "stub",
    "midcut",
    "midclose",
    "miderr",
    "midhang",
    "r429",
    "r500",
    "r400",
    "hang",
    "garbage",
    "down",
    "nonexistent",
];
const MESSAGES: &str = r#""messages":[{"role":"user","content":"hi"}]"#;

/// A script under way, and what it saw.
pub struct Script {
    address: String,
    bearer: String,
    pub lines: Vec<String>,
}

impl Script {
    pub fn new(base: &str, key: &str) -> Self {
        let address = base.trim_start_matches("http://").to_owned();
        Self { address, bearer: format!("Bearer {key}"), lines: Vec::new() }
    }

    pub async fn health(&mut self) {
        for path in ["/health/liveliness", "/health/liveness", "/health/readiness"] {
            self.get_with(path, "no key", &[]).await;
        }
        self.get_with("/health/readiness/details", "no key", &[]).await;
        // Its callbacks and switches are the configuration's; the version is what is read of it.
        let details = self.fetch("/health/readiness/details").await;
        let body: Value = serde_json::from_str(&details.body).unwrap();
        self.head("GET /health/readiness/details", &details);
        for field in ["status", "db", "litellm_version"] {
            self.lines.push(format!("  {field}: {}", body[field]));
        }
    }

    pub async fn listings(&mut self) {
        self.get("/v1/models").await;
        self.get("/models").await;
        for path in ["/model/info", "/v1/model/info"] {
            let info = self.fetch(path).await;
            let body: Value = serde_json::from_str(&info.body).unwrap();
            self.head(&format!("GET {path}"), &info);
            for model in body["data"].as_array().unwrap() {
                self.lines.push(format!("  {}: {}", model["model_name"], model["model_info"]["mode"]));
            }
        }
        let root = self.fetch("/").await;
        self.head("GET /", &root);
        let title = root.body.split("<title>").nth(1).and_then(|t| t.split("</title>").next());
        self.lines.push(format!("  title: {}", title.unwrap()));
    }

    pub async fn keys(&mut self) {
        let wrong = format!("Bearer sk-{}", "0".repeat(64));
        let own = self.bearer.trim_start_matches("Bearer ").to_owned();
        let chat = format!(r#"{{"model":"stub",{MESSAGES}}}"#);
        for (name, headers) in [
            ("no key", vec![]),
            ("wrong key", vec![("Authorization", wrong.as_str())]),
            ("short key", vec![("Authorization", "Bearer abc")]),
            ("wrong scheme", vec![("Authorization", "Basic abc")]),
            ("x-api-key", vec![("x-api-key", own.as_str())]),
        ] {
            self.get_with("/v1/models", name, &headers).await;
            self.get_with("/model/info?brief", name, &headers).await;
            let reply = raw::ask(&self.address, "POST /v1/chat/completions", &headers, &chat).await;
            self.show(&format!("POST /v1/chat/completions, {name}"), &reply);
        }
    }

    pub async fn mistakes(&mut self) {
        self.get("/v1/nope").await;
        self.get("/v1/chat/completions").await;
        for (name, body) in [
            ("bad JSON", "{not json".to_owned()),
            ("no body", String::new()),
            ("no messages", r#"{"model":"stub"}"#.to_owned()),
            ("no model", format!("{{{MESSAGES}}}")),
            ("unknown model", format!(r#"{{"model":"nonexistent",{MESSAGES}}}"#)),
            ("messages a text", r#"{"model":"stub","messages":"hi"}"#.to_owned()),
            ("odd temperature", format!(r#"{{"model":"stub",{MESSAGES},"temperature":"hot"}}"#)),
            ("unknown field", format!(r#"{{"model":"stub",{MESSAGES},"odd":1}}"#)),
        ] {
            self.post("/v1/chat/completions", name, &body).await;
        }
        self.post("/chat/completions", "without v1", &format!(r#"{{"model":"mock",{MESSAGES}}}"#)).await;
    }

    pub async fn whole_answers(&mut self) {
        for model in WHOLE {
            self.post("/v1/chat/completions", model, &format!(r#"{{"model":"{model}",{MESSAGES}}}"#)).await;
        }
    }

    pub async fn streams(&mut self) {
        for model in STREAMED {
            let body = format!(r#"{{"model":"{model}",{MESSAGES},"stream":true}}"#);
            self.post("/v1/chat/completions", &format!("{model}, streamed"), &body).await;
        }
        for model in ["mock", "stub"] {
            let body = format!(
                r#"{{"model":"{model}",{MESSAGES},"stream":true,"stream_options":{{"include_usage":true}}}}"#
            );
            self.post("/v1/chat/completions", &format!("{model}, streamed, usage"), &body).await;
        }
    }

    pub async fn embeddings(&mut self) {
        for (name, body) in [
            ("one text", r#"{"model":"embed","input":"abc"}"#),
            ("unknown model", r#"{"model":"nonexistent","input":"abc"}"#),
            ("no model", r#"{"input":"abc"}"#),
        ] {
            self.post("/v1/embeddings", name, body).await;
        }
    }

    pub async fn pictures(&mut self) {
        for (name, body) in [
            ("one", r#"{"model":"dall-e-3","prompt":"a dot"}"#),
            ("two by url", r#"{"model":"dall-e-3","prompt":"a dot","response_format":"url","n":2}"#),
            ("unknown field", r#"{"model":"dall-e-3","prompt":"a dot","odd":1}"#),
            ("no prompt", r#"{"model":"dall-e-3"}"#),
            ("no model", r#"{"prompt":"a dot"}"#),
            ("unknown model", r#"{"model":"nonexistent","prompt":"a dot"}"#),
            ("r429", r#"{"model":"r429","prompt":"a dot"}"#),
            ("r500", r#"{"model":"r500","prompt":"a dot"}"#),
        ] {
            self.post("/v1/images/generations", name, body).await;
        }
    }

    pub async fn transcriptions(&mut self) {
        let file = ("file\"; filename=\"a.wav", "RIFF0000WAVEfmt ");
        for (name, fields) in [
            ("a document", vec![("model", "whisper-1"), file]),
            ("a language", vec![("model", "whisper-1"), ("language", "en"), file]),
            ("a text", vec![("model", "whisper-1"), ("response_format", "text"), file]),
            ("no file", vec![("model", "whisper-1")]),
            ("no model", vec![file]),
            ("unknown model", vec![("model", "nonexistent"), file]),
            ("r429", vec![("model", "r429"), file]),
            ("r500", vec![("model", "r500"), file]),
        ] {
            let field = |(name, value): &(&str, &str)| {
                format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            };
            let body: String = fields.iter().map(field).collect();
            let headers = [
                ("Authorization", self.bearer.as_str()),
                ("Content-Type", "multipart/form-data; boundary=X"),
            ];
            let path = "/v1/audio/transcriptions";
            let reply =
                raw::ask(&self.address, &format!("POST {path}"), &headers, &(body + "--X--\r\n")).await;
            self.show(&format!("POST {path}, {name}"), &reply);
        }
    }

    async fn fetch(&self, path: &str) -> Reply {
        let headers = [("Authorization", self.bearer.as_str())];
        raw::ask(&self.address, &format!("GET {path}"), &headers, "").await
    }

    async fn get(&mut self, path: &str) {
        let reply = self.fetch(path).await;
        self.show(&format!("GET {path}"), &reply);
    }

    async fn get_with(&mut self, path: &str, name: &str, headers: &[(&str, &str)]) {
        let brief = path.strip_suffix("?brief");
        let reply = raw::ask(&self.address, &format!("GET {}", brief.unwrap_or(path)), headers, "").await;
        match brief {
            Some(path) if reply.status == 200 => self.head(&format!("GET {path}, {name}"), &reply),
            _ => self.show(&format!("GET {}, {name}", brief.unwrap_or(path)), &reply),
        }
    }

    async fn post(&mut self, path: &str, name: &str, body: &str) {
        let headers = [("Authorization", self.bearer.as_str())];
        let reply = raw::ask(&self.address, &format!("POST {path}"), &headers, body).await;
        self.show(&format!("POST {path}, {name}"), &reply);
    }

    fn head(&mut self, title: &str, reply: &Reply) {
        self.lines.push(format!("{title} -> {}", reply.status));
        self.lines.push(format!("  {}", normal::headers(&reply.headers)));
    }

    fn show(&mut self, title: &str, reply: &Reply) {
        self.head(title, reply);
        if reply.header("content-type").is_some_and(|t| t.starts_with("text/event-stream")) {
            for event in reply.body.split_terminator("\n\n") {
                self.lines.push(format!("  {}", normal::text(event)));
            }
        } else {
            self.lines.push(format!("  {}", normal::text(&reply.body)));
        }
        self.lines.push(format!("  {:?}", reply.end));
    }
}
