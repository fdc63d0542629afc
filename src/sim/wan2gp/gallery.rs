//! The gallery of the simulated server and its transfers. Both are gone after a restart, with all tokens.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use indexmap::IndexMap;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    net::body::hex,
    sim::{
        Body,
        server::plain,
        wan2gp::rpc::{answer, served},
    },
};

/// Where a real one keeps its files.
const OUTPUTS: &str = "/outputs/";
const MOST: u64 = 8 * 1024 * 1024 * 1024;

/// The gallery.
#[derive(Default)]
pub(super) struct Gallery(Mutex<Shelves>);

#[derive(Default)]
struct Shelves {
    files: IndexMap<String, File>,
    uploads: IndexMap<String, String>,
    downloads: IndexMap<String, String>,
}

struct File {
    path: String,
    sort: &'static str,
    bytes: Bytes,
    settings: Value,
}

/// What a file of this name is, by its extension.
pub(super) fn sort(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "png" | "jpg" | "jpeg" | "webp" | "bmp" | "gif" | "tif" | "tiff" => Some("image"),
        "wav" | "mp3" | "aac" | "m4a" | "flac" | "ogg" | "opus" => Some("audio"),
        "mp4" | "mov" | "mkv" | "webm" | "avi" => Some("video"),
        _ => None,
    }
}

impl Gallery {
    /// Puts a file in; says its record.
    pub(super) fn add(&self, name: &str, bytes: Bytes, settings: Value) -> Value {
        let path = format!("{OUTPUTS}{name}");
        let sort = sort(name).unwrap_or("video");
        let gallery = if sort == "audio" { "audio" } else { "visual" };
        let id = format!("{gallery}:{}", &hex(&Sha256::digest(path.to_lowercase().as_bytes()))[..12]);
        let mut shelves = self.lock();
        shelves.files.insert(id.clone(), File { path, sort, bytes, settings });
        shelves.record(&id)
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.lock().files.contains_key(id)
    }

    /// The records of these paths.
    pub(super) fn records(&self, paths: &[String]) -> Vec<Value> {
        let shelves = self.lock();
        let wanted = shelves.files.iter().filter(|(_, file)| paths.contains(&file.path));
        wanted.map(|(id, _)| shelves.record(id)).collect()
    }

    /// A ticket for an upload under this name.
    pub(super) fn expect(&self, name: &str) -> Value {
        let token = token();
        self.lock().uploads.insert(token.clone(), name.to_owned());
        json!({
            "upload_url": format!("/wangp_api/gallery/upload/{token}"), "method": "PUT", "filename": name,
            "expires_in_seconds": 600, "max_bytes": MOST,
        })
    }

    /// A ticket for a download; `None` for an unknown file.
    pub(super) fn offer(&self, id: &str) -> Option<Value> {
        let token = token();
        let mut shelves = self.lock();
        let file = shelves.files.get(id)?;
        let ticket = json!({
            "gallery_id": id, "download_url": format!("/wangp_api/gallery/download/{token}"),
            "filename": file.path.trim_start_matches(OUTPUTS), "media_type": file.sort, "size": file.bytes.len(),
            "expires_in_seconds": 600,
        });
        shelves.downloads.insert(token, id.to_owned());
        Some(ticket)
    }

    /// Takes an upload.
    pub(super) fn take(&self, token: &str, bytes: Bytes) -> Response<Body> {
        let Some(name) = self.lock().uploads.shift_remove(token) else {
            return answer(StatusCode::NOT_FOUND, &json!({ "error": "Upload expired or not found." }));
        };
        let path = format!("mcp_uploads/{}/{name}", self::token());
        if sort(&name) == Some("image") && !infer::is_image(&bytes) {
            let words = format!("cannot identify image file '{OUTPUTS}{path}'");
            return answer(StatusCode::BAD_REQUEST, &json!({ "error": words }));
        }
        let size = bytes.len();
        let mut record = self.add(&path, bytes, json!({}));
        record["status"] = "uploaded".into();
        record["size"] = size.into();
        answer(StatusCode::OK, &record)
    }

    /// Gives a download, or the rest of one.
    pub(super) fn give(&self, token: &str, headers: &HeaderMap) -> Response<Body> {
        let mut shelves = self.lock();
        let file = shelves.downloads.shift_remove(token).and_then(|id| shelves.files.get(&id));
        let Some(file) = file else {
            return answer(StatusCode::NOT_FOUND, &json!({ "error": "Download expired or not found." }));
        };
        let whole = file.bytes.len();
        let from = headers.get(header::RANGE).and_then(begin).filter(|from| *from < whole);
        let media = match file.sort {
            "image" => "image/png",
            "audio" => "audio/x-wav",
            _ => "video/mp4",
        };
        let status = if from.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
        let mut answer = served(plain(status, media, file.bytes.slice(from.unwrap_or(0)..)));
        answer.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Some(from) = from {
            let range = format!("bytes {from}-{}/{whole}", whole - 1);
            let range = HeaderValue::from_str(&range).expect("digits make a header");
            answer.headers_mut().insert(header::CONTENT_RANGE, range);
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    fn record(&self, id: &str) -> Value {
        let file = &self.files[id];
        let gallery = id.split(':').next().unwrap_or_default();
        let shelf = || self.files.keys().filter(|other| other.split(':').next() == Some(gallery));
        let index = shelf().position(|other| other == id);
        json!({
            "gallery_id": id, "gallery": gallery, "index": index, "path": file.path, "media_type": file.sort,
            "selected": shelf().next_back().is_some_and(|last| last == id), "in_gallery": true,
            "settings": file.settings,
        })
    }
}

/// The first byte of `bytes=5-`.
fn begin(range: &HeaderValue) -> Option<usize> {
    range.to_str().ok()?.strip_prefix("bytes=")?.split('-').next()?.parse().ok()
}

pub(super) fn token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
