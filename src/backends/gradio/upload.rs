//! Files on their way to the app.

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use http::Method;
use reqwest::multipart::{Form, Part};
use serde_json::value::RawValue;

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
    /// A file of this machine, and the name that the app shall see.
    Path {
        /// Where it is.
        path: PathBuf,
        /// The name; the app keeps its extension.
        name: String,
    },
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
        Upload::Path { path, name } => {
            let bad = |e: std::io::Error| {
                let message = format!("{} cannot be read: {e}", path.display());
                Fault::new(Code::Disk, message).with_fix("Correct the path in `$file`, or the file's rights.")
            };
            let size = tokio::fs::metadata(&path).await.map_err(bad)?.len();
            let part = Part::file(&path).await.map_err(bad)?.file_name(name.clone());
            Ok((part, name, size))
        }
    }
}

/// Uploads every `{"$file": PATH}` in an argument and puts the file at the app in its place. An argument without one
/// stays as it is, to the byte.
pub(super) async fn replace_files(session: &Session, value: Box<RawValue>) -> Result<Box<RawValue>, Fault> {
    let mut there = Vec::new();
    for (asked, _) in attachment::asked(&value, "data")? {
        let source = Upload::Path { path: asked.file.clone().into(), name: asked.name().to_owned() };
        let file = upload(session, source).await?;
        let file = serde_json::value::to_raw_value(&file)
            .map_err(|e| Fault::new(Code::Protocol, format!("the app's name for a file: {e}")))?;
        there.push((asked, file));
    }
    attachment::put(&value, |asked| {
        there.iter().find(|(known, _)| known == asked).map(|(_, file)| file.clone())
    })
}
