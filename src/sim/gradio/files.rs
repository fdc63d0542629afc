//! The app's files: what was uploaded and what was made. They outlive a boot.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    net::body::hex,
    sim::{
        Body, form,
        gradio::{Version, answer},
        server::plain,
    },
};

/// Where the files are.
const CACHE: &str = "/tmp/gradio/";

/// The app's files.
pub(super) struct Disk {
    version: Version,
    files: Mutex<HashMap<String, Bytes>>,
    count: AtomicU64,
}

impl Disk {
    pub(super) fn new(version: Version) -> Self {
        Self { version, files: Mutex::default(), count: AtomicU64::new(0) }
    }

    /// Keeps a file under the hash of its bytes.
    pub(super) fn keep(&self, name: &str, bytes: Bytes) -> String {
        let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let path = format!("{CACHE}{}/{base}", hex(&Sha256::digest(&bytes)));
        self.lock().insert(path.clone(), bytes);
        path
    }

    /// Keeps a picture that a function made.
    pub(super) fn draw(&self) -> String {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let picture = crate::sim::png::encode(32, 24, [255, 0, 0]);
        self.keep(&format!("img{number}.png"), picture)
    }

    /// The size of a file that is here.
    pub(super) fn size(&self, path: &str) -> Option<usize> {
        self.lock().get(path).map(Bytes::len)
    }

    /// A file as a result names it. The URL is made from whatever `Host` the request had.
    pub(super) fn named(&self, path: &str, host: &str, size: Option<usize>) -> Value {
        let name = path.rsplit('/').next().unwrap_or_default();
        let prefix = self.version.prefix();
        json!({"path": path, "url": format!("http://{host}{prefix}/file={path}"), "size": size,
            "orig_name": name, "mime_type": null, "is_stream": false, "meta": {"_type": "gradio.FileData"}})
    }

    /// Answers `POST /upload`.
    pub(super) fn upload(&self, headers: &HeaderMap, body: &Bytes) -> Response<Body> {
        let Some(fields) = form::of(headers, body) else {
            return answer::refused(StatusCode::BAD_REQUEST, &json!("Invalid content type."));
        };
        let files = fields.into_iter().filter(|field| field.name == "files");
        let paths: Vec<String> =
            files.filter_map(|field| Some(self.keep(&field.file?, field.bytes))).collect();
        answer::ok(&json!(paths))
    }

    /// Answers `GET /file=PATH`.
    pub(super) fn serve(&self, path: &str, headers: &HeaderMap) -> Response<Body> {
        let Some(bytes) = self.lock().get(path).cloned() else {
            return match self.version {
                Version::V4_44_1 if path.starts_with(CACHE) => {
                    answer::refused(StatusCode::NOT_FOUND, &json!(format!("File not found: {path}.")))
                }
                _ => answer::refused(StatusCode::FORBIDDEN, &json!(format!("File not allowed: {path}."))),
            };
        };
        let range = headers.get(header::RANGE).and_then(|v| v.to_str().ok());
        match range.and_then(|r| r.strip_prefix("bytes=")?.split_once('-')) {
            Some((first, last)) => self.ranged(&bytes, first, last),
            None => whole(bytes),
        }
    }

    fn ranged(&self, bytes: &Bytes, first: &str, last: &str) -> Response<Body> {
        let Ok(first) = first.parse::<usize>() else { return whole(bytes.clone()) };
        let last = match last.parse::<usize>() {
            Ok(last) => last.min(bytes.len().saturating_sub(1)),
            // The Starlette of 4.44.1 does not know open ranges.
            Err(_) if self.version == Version::V4_44_1 => return whole(bytes.clone()),
            Err(_) => bytes.len().saturating_sub(1),
        };
        if first >= bytes.len() || first > last {
            return answer::signed(plain(StatusCode::RANGE_NOT_SATISFIABLE, "text/plain", ""));
        }
        let span = format!("bytes {first}-{last}/{}", bytes.len());
        let mut answer = whole(bytes.slice(first..=last));
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        let span = HeaderValue::from_str(&span).expect("digits");
        answer.headers_mut().insert(header::CONTENT_RANGE, span);
        answer
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Bytes>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn whole(bytes: Bytes) -> Response<Body> {
    let kind = infer::get(&bytes).map_or("application/octet-stream", |t| t.mime_type());
    let mut answer = answer::signed(plain(StatusCode::OK, kind, bytes));
    answer.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    answer
}
