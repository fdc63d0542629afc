//! A served supervisor, and requests to it that are exactly what a test says.

use std::{path::Path, time::Duration};

use backline::{
    Supervisor,
    config::Loader,
    http::{Access, Bounds, Server, Token, listen},
};
use reqwest::{Client, Method, StatusCode, header};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub(crate) const TOKEN: &str = "a-token-of-sixteen-letters";
pub(crate) const READER: &str = "a-token-that-may-only-look";
/// Longest wait for an answer; only a hang meets it.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Api {
    pub(crate) supervisor: Supervisor,
    pub(crate) access: Access,
    pub(crate) server: Server,
    client: Client,
}

pub(crate) fn access() -> Access {
    let token = |text| Token::fixed(text).unwrap();
    Access::with_hosts(token(TOKEN), vec!["studio.example".into()]).reader(token(READER))
}

impl Api {
    /// Over a loader that finds no file.
    pub(crate) async fn start() -> Self {
        Self::over(Supervisor::builder().loader(Loader::new().directory("/nowhere"))).await
    }

    /// The same with a state directory.
    pub(crate) async fn keeping(state: &Path) -> Self {
        Self::over(Supervisor::builder().loader(Loader::new().directory("/nowhere")).state_dir(state)).await
    }

    pub(crate) async fn over(builder: backline::supervisor::Builder) -> Self {
        Self::within(builder, Bounds::default()).await
    }

    /// Within other bounds than the usual ones.
    pub(crate) async fn within(builder: backline::supervisor::Builder, bounds: Bounds) -> Self {
        let supervisor = builder.start().await.unwrap();
        let access = access().kept_by(&supervisor).await;
        let listening = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let server = listening.serve_within(supervisor.handle(), access.clone(), bounds);
        let client = Client::builder().no_proxy().build().unwrap();
        Self { supervisor, access, server, client }
    }

    pub(crate) fn host(&self) -> String {
        self.server.address.to_string()
    }

    /// Sends bytes, and gives the head of the answer and what came of its body.
    pub(crate) async fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let read = tokio::time::timeout(LIMIT, Answer::read(&mut stream)).await;
        read.unwrap_or_else(|_| panic!("no answer to {request:?}"))
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.ask_as(TOKEN, method, path, body).await
    }

    pub(crate) async fn ask_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let request = self.client.request(method, self.url(path)).bearer_auth(token);
        let request = body.into_iter().fold(request, |request, body| request.json(&body));
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or_default())
    }

    /// With a tag, where one is given; the answer's tag with it.
    pub(crate) async fn under(
        &self,
        tag: Option<&str>,
        method: Method,
        path: &str,
        body: Value,
    ) -> (StatusCode, String, Value) {
        let mut request = self.client.request(method, self.url(path)).bearer_auth(TOKEN);
        if !body.is_null() {
            request = request.json(&body);
        }
        if let Some(tag) = tag {
            request = request.header(header::IF_MATCH, tag);
        }
        let answer = request.send().await.unwrap();
        let tag = answer.headers().get(header::ETAG).map(|tag| tag.to_str().unwrap().to_owned());
        (answer.status(), tag.unwrap_or_default(), answer.json().await.unwrap_or_default())
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address)
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// To its end, or, where it has none, to the end of its head.
    pub(crate) async fn read(stream: &mut TcpStream) -> Self {
        let mut seen = Vec::new();
        loop {
            let read = stream.read_buf(&mut seen).await.unwrap_or(0);
            let text = String::from_utf8_lossy(&seen);
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                assert!(read > 0, "it ended within its head: {text:?}");
                continue;
            };
            let length = head
                .to_ascii_lowercase()
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let whole = length.is_some_and(|length: usize| body.len() >= length);
            if read == 0 || whole || head.contains("text/event-stream") {
                let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap();
                return Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() };
            }
        }
    }

    pub(crate) fn code(&self) -> String {
        let error: Value = serde_json::from_str(&self.body).unwrap_or_default();
        error["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}
