//! Requests to endpoints that this library does not know, kept to the backend's own origin.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    backends::litellm::{
        fields::{self, Fields},
        session::Session,
    },
    model::{Code, Fault},
    net::body::{self, JSON_CAP},
};

/// A request to an endpoint that this library does not know.
///
/// It goes to the backend's own origin, with its key, and nowhere else: redirects are not followed. It is counted and
/// bounded as every other request, and never sent twice by itself.
#[derive(Debug, Clone)]
#[must_use]
pub struct RawRequest {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Option<Bytes>,
    cap: usize,
    limit: Option<Duration>,
}

/// What came back, whatever its status.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RawAnswer {
    /// The status; a redirect is one, too.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl RawRequest {
    /// A request to a path below the backend's base, like `v1/moderations`.
    ///
    /// # Errors
    /// [`Code::BadRequest`]: it is no plain path (a scheme, a host, a query, a step up).
    pub fn new(method: Method, path: &str) -> Result<Self, Fault> {
        if !is_path(path) {
            let message = format!("`{path}` is no path below the backend's address");
            return Err(Fault::new(Code::BadRequest, message)
                .with_fix("Write it like `v1/moderations`; a query goes through `query`."));
        }
        let (headers, query) = (HeaderMap::new(), Vec::new());
        let path = path.trim_start_matches('/').to_owned();
        Ok(Self { method, path, query, headers, body: None, cap: JSON_CAP, limit: None })
    }

    /// A GET.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn get(path: &str) -> Result<Self, Fault> {
        Self::new(Method::GET, path)
    }

    /// A POST of a JSON document.
    ///
    /// # Errors
    /// As [`Self::new`] and [`Self::json`].
    pub fn post(path: &str, document: &impl Serialize) -> Result<Self, Fault> {
        Self::new(Method::POST, path)?.json(document)
    }

    /// Gives it a JSON document as body.
    ///
    /// # Errors
    /// [`Code::BadRequest`]: it cannot be written, or is an object with a field that no request may carry
    /// (`api_base`, `base_url`, `api_key`).
    pub fn json(self, document: &impl Serialize) -> Result<Self, Fault> {
        let document: Box<RawValue> = to_raw_value(document)
            .map_err(|e| Fault::new(Code::BadRequest, format!("the body cannot be written as JSON: {e}")))?;
        if document.get().trim_start().starts_with('{') {
            Fields::parse(&document)?;
        }
        Ok(self.bytes("application/json", Bytes::from(document.get().to_owned())))
    }

    /// Gives it a body of any type. What stands in it is the caller's to answer for.
    pub fn bytes(mut self, media_type: &'static str, body: Bytes) -> Self {
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        self.body = Some(body);
        self
    }

    /// Adds a pair to its query.
    ///
    /// # Errors
    /// [`Code::BadRequest`] for a name that no request may carry.
    pub fn query(mut self, name: &str, value: &str) -> Result<Self, Fault> {
        fields::check_name(name)?;
        self.query.push((name.to_owned(), value.to_owned()));
        Ok(self)
    }

    /// Adds a header.
    ///
    /// # Errors
    /// [`Code::BadRequest`] for one that decides where the request goes, how it is framed, or who we are.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Result<Self, Fault> {
        const OURS: [HeaderName; 8] = [
            header::AUTHORIZATION,
            header::COOKIE,
            header::HOST,
            header::CONTENT_LENGTH,
            header::TRANSFER_ENCODING,
            header::CONNECTION,
            header::UPGRADE,
            header::PROXY_AUTHORIZATION,
        ];
        if OURS.contains(&name) || name == "x-api-key" {
            return Err(Fault::new(
                Code::BadRequest,
                format!("the header `{name}` is set by Backline alone"),
            ));
        }
        self.headers.insert(name, value);
        Ok(self)
    }

    /// The most bytes of an answer. Default 16 MiB.
    pub fn cap(mut self, bytes: usize) -> Self {
        self.cap = bytes;
        self
    }

    /// How long the whole exchange may take. Default `timeouts.request` (30 s).
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Session {
    /// Sends a request to an endpoint that this library does not know, with the key, to this backend's origin only. The
    /// answer's status is the caller's to judge.
    ///
    /// # Errors
    /// The network's, [`Code::TooLarge`] past the cap, [`Code::RequestTimeout`] past the limit. A fault of the class
    /// `unreachable` or `timeout` does not say whether the request was acted on.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; whether the server acts on the request is unknown then.
    pub async fn raw(&self, request: RawRequest) -> Result<RawAnswer, Fault> {
        let _flight = self.wire.tie.fly();
        let limit = request.limit.unwrap_or(self.wire.target.timeouts.request);
        let http = &self.wire.work;
        let query: Vec<_> =
            request.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let url = http.address().url_with(&request.path, &query);
        let mut asked = http.with_key(http.request_url(request.method, url)).headers(request.headers);
        if let Some(body) = request.body {
            asked = asked.body(body);
        }
        let exchange = async {
            let answer = http.send(asked, limit).await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            Ok(RawAnswer { status, headers, body: body::read(answer, request.cap).await? })
        };
        let late = || {
            let place = http.address().authority();
            Fault::new(Code::RequestTimeout, format!("{place}: no whole answer in {limit:?}"))
        };
        let bounded = async { tokio::time::timeout(limit, exchange).await.map_err(|_| late())? };
        self.wire.tie.bound(bounded).await.inspect_err(|fault| self.wire.tie.suspect(fault))
    }
}

/// Whether a text is a path below a base and nothing else.
fn is_path(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~:@!$&'()*+,;=".contains(c);
    let steps = path.strip_prefix('/').unwrap_or(path);
    let climbs = steps.split('/').any(|step| step == "." || step == "..");
    !steps.is_empty()
        && !steps.starts_with('/')
        && steps.chars().all(plain)
        && !climbs
        && !steps.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_nowhere_else() {
        for yes in ["v1/moderations", "/v1/files/file-1", "api/v0/models", "v1/models/a:b@c"] {
            assert!(RawRequest::get(yes).is_ok(), "{yes}");
        }
        for no in [
            "",
            "/",
            "//evil.example/x",
            "http://evil.example/",
            "/v1/../admin",
            "v1/./x",
            "v1?x=1",
            "v1#x",
            "v1/%2e%2e/x",
            "v1\\x",
            "v1 x",
            "v1\r\nx",
        ] {
            assert_eq!(RawRequest::get(no).unwrap_err().code(), Code::BadRequest, "{no}");
        }
    }

    #[test]
    fn nothing_that_moves_the_request_or_a_key_goes_in() {
        let request = || RawRequest::get("v1/x").unwrap();
        for name in ["api_base", "base_url", "api_key"] {
            assert!(RawRequest::post("v1/x", &serde_json::json!({ name: "x" })).is_err(), "{name}");
            assert!(request().query(name, "x").is_err(), "{name}");
        }
        for name in ["authorization", "host", "cookie", "x-api-key", "content-length", "connection"] {
            assert!(
                request().header(name.parse().unwrap(), HeaderValue::from_static("x")).is_err(),
                "{name}"
            );
        }
        assert!(request().header("x-mine".parse().unwrap(), HeaderValue::from_static("x")).is_ok());
        assert!(RawRequest::post("v1/x", &["api_key"]).is_ok(), "only a field is one");
    }
}
