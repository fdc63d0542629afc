//! Servers that answer as their documentation says, over real sockets.

use std::sync::Arc;

use backline::{
    discovery::{Find, sweep},
    model::Kind,
    sim::server::{App, Body, SimServer, plain},
};
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::net::TcpListener;

use crate::finds::scope;

/// Answers by a table; 404 for the rest.
struct Table(&'static [(&'static str, &'static str)]);

impl App for Table {
    fn answer(self: Arc<Self>, request: Request<Incoming>) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move {
            let asked = format!("{} {}", request.method(), request.uri().path());
            match self.0.iter().find(|(line, _)| *line == asked) {
                Some((_, body)) => plain(StatusCode::OK, "application/json", *body),
                None if asked == "GET /mcp/" && self.0.iter().any(|(line, _)| *line == "POST /mcp/") => {
                    let refusal =
                        r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"no"}}"#;
                    plain(StatusCode::NOT_ACCEPTABLE, "application/json", refusal)
                }
                None => plain(StatusCode::NOT_FOUND, "application/json", r#"{"detail":"Not Found"}"#),
            }
        })
    }
}

async fn found(table: &'static [(&'static str, &'static str)]) -> Vec<Find> {
    let server = SimServer::start(move || Arc::new(Table(table))).await.unwrap();
    sweep(&scope([server.port()]), |_| {}).await.found
}

#[tokio::test]
async fn they_are_told_apart() {
    let ollama =
        found(&[("GET /", "Ollama is running"), ("GET /api/version", r#"{"version":"0.12.3"}"#)]).await;
    assert_eq!((ollama[0].title.as_deref(), ollama[0].version.as_deref()), (Some("Ollama"), Some("0.12.3")));
    let vllm = found(&[
        ("GET /v1/models", r#"{"object":"list","data":[{"id":"m","object":"model","owned_by":"vllm"}]}"#),
        ("GET /version", r#"{"version":"0.11.0"}"#),
    ])
    .await;
    assert_eq!((vllm[0].title.as_deref(), vllm[0].version.as_deref()), (Some("vLLM"), Some("0.11.0")));
    let studio = found(&[(
        "GET /v1/models",
        r#"{"data":[{"id":"m","object":"model","owned_by":"organization_owner"}],"object":"list"}"#,
    )])
    .await;
    assert_eq!((studio[0].title.as_deref(), studio[0].kind), (Some("LM Studio"), Kind::Openai));
}

#[tokio::test]
async fn wangp_s_mcp_server_is_greeted_and_another_is_not_taken_for_it() {
    let wangp = found(&[(
        "POST /mcp/",
        r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","serverInfo":{"name":"WanGP","version":"1.10.1"}}}"#,
    )])
    .await;
    assert_eq!(wangp[0].kind, Kind::Wan2gp);
    let other = found(&[(
        "POST /mcp/",
        r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","serverInfo":{"name":"files","version":"1"}}}"#,
    )])
    .await;
    assert_eq!(other, []);
}

#[tokio::test]
async fn a_server_on_both_loopback_addresses_is_one_find() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let Ok(six) = TcpListener::bind("[::1]:0").await else {
        return println!("SKIP: one server on two addresses: this machine has no IPv6 loopback");
    };
    let port = six.local_addr().unwrap().port();
    let four = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let serve = |listener: TcpListener| async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let body = r#"{"object":"list","data":[{"id":"m","object":"model","owned_by":"me"}]}"#;
            let head = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).await;
        }
    };
    let swept = tokio::select! {
        swept = async { sweep(&scope([port]), |_| {}).await } => swept,
        _ = futures_util::future::join(serve(six), serve(four)) => unreachable!("they serve on"),
    };
    let found: Vec<_> = swept.found.iter().map(|f| f.url.to_string()).collect();
    assert_eq!(found, [format!("http://127.0.0.1:{port}")]);
}
