//! `/view` and `/upload/image`.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::sim::{
    Body,
    comfyui::{answer, disk::Path, state::State},
    form,
    server::plain,
};

/// The largest upload.
pub(super) const UPLOAD_CAP: usize = 104_857_600;

/// A part of a file.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Range(usize, usize),
    Unsatisfiable,
}

/// Answers GET `/view`.
pub(super) fn view(state: &State, query: &HashMap<String, String>, headers: &HeaderMap) -> Response<Body> {
    let Some(name) = query.get("filename") else { return answer::empty(StatusCode::NOT_FOUND) };
    let text = |key: &str| query.get(key).cloned();
    let folder = text("type").unwrap_or_else(|| "output".to_owned());
    let subfolder = text("subfolder").unwrap_or_default();
    if name.starts_with('/') || name.contains("..") || subfolder.contains("..") {
        return answer::empty(StatusCode::BAD_REQUEST);
    }
    let path = Path { folder, subfolder, name: name.clone() };
    let Some(bytes) = state.disk.read(&path) else { return answer::empty(StatusCode::NOT_FOUND) };
    let range = headers.get(header::RANGE).and_then(|r| r.to_str().ok());
    let size = bytes.len();
    let (status, body, about) = match part(range, size) {
        Part::Whole => (StatusCode::OK, bytes, None),
        Part::Range(from, to) => {
            let about = format!("bytes {from}-{}/{size}", to - 1);
            (StatusCode::PARTIAL_CONTENT, bytes.slice(from..to), Some(about))
        }
        Part::Unsatisfiable => {
            (StatusCode::RANGE_NOT_SATISFIABLE, Bytes::new(), Some(format!("bytes */{size}")))
        }
    };
    let mut response = plain(status, media_type(name), body);
    let mut put = |name, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    };
    put(header::CONTENT_DISPOSITION, format!("filename=\"{name}\""));
    if status != StatusCode::RANGE_NOT_SATISFIABLE {
        put(header::ACCEPT_RANGES, "bytes".to_owned());
    }
    if let Some(about) = about {
        put(header::CONTENT_RANGE, about);
    }
    response
}

fn part(range: Option<&str>, size: usize) -> Part {
    let Some((from, to)) = range.and_then(|r| r.strip_prefix("bytes=")?.split_once('-')) else {
        return Part::Whole;
    };
    let (from, to) = match (from.parse::<usize>().ok(), to.parse::<usize>().ok()) {
        (Some(from), Some(to)) => (from, (to + 1).min(size)),
        (Some(from), None) => (from, size),
        (None, Some(last)) => (size.saturating_sub(last), size),
        (None, None) => return Part::Whole,
    };
    if from < to { Part::Range(from, to) } else { Part::Unsatisfiable }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("txt") => "text/plain",
        Some("mp4") => "video/mp4",
        _ => "application/octet-stream",
    }
}

/// Answers POST `/upload/image`.
pub(super) fn upload(state: &State, headers: &HeaderMap, body: &Bytes) -> Response<Body> {
    let fields = form::of(headers, body).unwrap_or_default();
    let text = |name: &str| {
        fields.iter().find(|f| f.name == name).map(|f| String::from_utf8_lossy(&f.bytes).into_owned())
    };
    let Some(image) = fields.iter().find(|f| f.name == "image") else {
        return answer::empty(StatusCode::BAD_REQUEST);
    };
    let subfolder = text("subfolder").unwrap_or_default();
    let Some(name) = image.file.clone().filter(|n| !n.is_empty()) else {
        return answer::empty(StatusCode::BAD_REQUEST);
    };
    if subfolder.split('/').chain(name.split('/')).any(|step| step == "..") {
        return answer::empty(StatusCode::BAD_REQUEST);
    }
    let folder = text("type").filter(|t| t == "temp" || t == "output").unwrap_or_else(|| "input".to_owned());
    let wanted = Path { folder, subfolder, name };
    let path = if matches!(text("overwrite").as_deref(), Some("true" | "1")) {
        state.disk.write(wanted.clone(), image.bytes.clone());
        wanted
    } else {
        state.disk.keep(wanted, image.bytes.clone())
    };
    answer::ok(&json!({"name": path.name, "subfolder": path.subfolder, "type": path.folder}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_as_asked() {
        assert_eq!(part(Some("bytes=0-7"), 73), Part::Range(0, 8));
        assert_eq!(part(Some("bytes=70-"), 73), Part::Range(70, 73));
        assert_eq!(part(Some("bytes=-3"), 73), Part::Range(70, 73));
        assert_eq!(part(Some("bytes=73-"), 73), Part::Unsatisfiable);
        assert_eq!(part(None, 73), Part::Whole);
    }
}
