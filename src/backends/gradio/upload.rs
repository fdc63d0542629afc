//! Files on their way to the app.

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use http::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, value::RawValue};

use crate::{
    backends::{
        attachment,
        gradio::{file::FileData, session::Session},
    },
    model::{Code, Fault},
    net::body,
};

/// Slowest pace of an upload that is waited for.
const PACE: u64 = 256 * 1024;

/// A file to send.
#[derive(Debug, Clone)]
pub enum Upload {
    /// A file of this machine.
    Path(PathBuf),
    /// Bytes, and the name that the app shall see.
    Bytes {
        /// The name; the app keeps its extension.
        name: String,
        /// The bytes.
        bytes: Bytes,
    },
}

/// Sends one file.
pub(super) async fn upload(session: &Session, upload: Upload) -> Result<FileData, Fault> {
    let _flight = session.fly();
    let (part, name, size) = part(upload).await?;
    let limit = session.limit() + Duration::from_secs(size / PACE);
    let request = session.request(Method::POST, "upload").multipart(Form::new().part("files", part));
    let exchange = async {
        let answer = session.http().send(request, limit).await?;
        if !answer.status().is_success() {
            return Err(super::refusal::Refusal::of(answer).await.fault);
        }
        body::json::<Vec<String>>(answer, body::ERROR_CAP).await
    };
    let paths = session.bounded(limit, exchange).await?;
    // A form without the field `files` is answered with 200 and an empty list.
    let path = paths.into_iter().next();
    let path = path.ok_or_else(|| Fault::new(Code::Protocol, "the app kept nothing of the upload"))?;
    Ok(FileData { orig_name: Some(name), size: Some(size), ..FileData::new(path) })
}

async fn part(upload: Upload) -> Result<(Part, String, u64), Fault> {
    match upload {
        Upload::Bytes { name, bytes } => {
            let size = bytes.len() as u64;
            let part = Part::stream_with_length(reqwest::Body::from(bytes), size).file_name(name.clone());
            Ok((part, name, size))
        }
        Upload::Path(path) => {
            let bad = |e: std::io::Error| {
                let message = format!("{} cannot be read: {e}", path.display());
                Fault::new(Code::Disk, message).with_fix("Correct the path in `$file`, or the file's rights.")
            };
            let size = tokio::fs::metadata(&path).await.map_err(bad)?.len();
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let part = Part::file(&path).await.map_err(bad)?.file_name(name.clone());
            Ok((part, name, size))
        }
    }
}

/// Uploads every `{"$file": PATH}` in an argument and puts the file at the app in its place. An argument without one
/// stays as it is, to the byte.
pub(super) async fn replace_files(session: &Session, value: Box<RawValue>) -> Result<Box<RawValue>, Fault> {
    if !attachment::may_be_in(&value) {
        return Ok(value);
    }
    let unreadable = |e: serde_json::Error| Fault::new(Code::BadRequest, format!("`data`: {e}"));
    let mut tree: Value = serde_json::from_str(value.get()).map_err(unreadable)?;
    for path in attachment::paths(&tree) {
        let file = upload(session, Upload::Path(path.clone().into())).await?;
        let file = serde_json::to_value(file).map_err(unreadable)?;
        attachment::put(&mut tree, &path, &file);
    }
    serde_json::value::to_raw_value(&tree).map_err(unreadable)
}
