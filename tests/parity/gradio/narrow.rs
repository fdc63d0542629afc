//! A proxy that lets everything of an app through but its queue.

use std::sync::Arc;

use backline::sim::{App, Body, SimServer, server::plain};
use futures_util::{TryStreamExt, future::BoxFuture};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};

pub struct Narrow {
    http: reqwest::Client,
    upstream: String,
}

impl Narrow {
    pub async fn before(upstream: &str) -> SimServer {
        let upstream = upstream.to_owned();
        let make = move || -> Arc<dyn App> {
            let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
            Arc::new(Self { http, upstream: upstream.clone() })
        };
        SimServer::start(make).await.unwrap()
    }

    async fn forward(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        if head.uri.path().contains("/queue/") {
            return plain(StatusCode::NOT_FOUND, "application/json", r#"{"detail":"Not Found"}"#);
        }
        let body = body.collect().await.unwrap().to_bytes();
        let url = format!("{}{}", self.upstream, head.uri);
        let mut asked = self.http.request(head.method, url).body(body);
        for name in ["content-type", "accept", "range"] {
            if let Some(value) = head.headers.get(name) {
                asked = asked.header(name, value);
            }
        }
        let Ok(answer) = asked.send().await else { return plain(StatusCode::BAD_GATEWAY, "text/plain", "") };
        let mut passed = Response::builder().status(answer.status());
        for name in ["content-type", "content-range"] {
            if let Some(value) = answer.headers().get(name) {
                passed = passed.header(name, value);
            }
        }
        let pieces = answer.bytes_stream().map_ok(Frame::data).map_err(std::io::Error::other);
        passed.body(StreamBody::new(pieces).boxed_unsync()).unwrap()
    }
}

impl App for Narrow {
    fn answer(self: Arc<Self>, request: Request<Incoming>) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move { self.forward(request).await })
    }
}
