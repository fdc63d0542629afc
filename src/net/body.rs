//! Reading bodies with a cap, so that no server decides how much memory we use.

use bytes::{Bytes, BytesMut};
use serde::de::DeserializeOwned;

use crate::{
    model::{Code, Fault},
    net::blame,
};

/// Cap of an ordinary JSON answer.
pub const JSON_CAP: usize = 16 * 1024 * 1024;
/// Cap of an answer that lists much (ComfyUI's `/object_info` is 1.3 MB bare, and grows with custom nodes).
pub const LIST_CAP: usize = 64 * 1024 * 1024;
/// Cap of the body of an error answer; only its beginning is shown anyway.
pub const ERROR_CAP: usize = 256 * 1024;

/// Reads a body whole, up to `cap` bytes.
///
/// # Errors
/// [`Code::TooLarge`] past the cap; the rest is not read.
pub async fn read(mut answer: reqwest::Response, cap: usize) -> Result<Bytes, Fault> {
    let too_large =
        || Fault::new(Code::TooLarge, format!("the answer of {} is over {cap} bytes", answer_path(&answer)));
    if answer.content_length().is_some_and(|n| n > cap as u64) {
        return Err(too_large());
    }
    let refusal = too_large();
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| blame::request(&e))? {
        if body.len() + chunk.len() > cap {
            return Err(refusal);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Reads the beginning of a body, for an error message; what is over the cap or cut is left out.
pub async fn read_beginning(mut answer: reqwest::Response, cap: usize) -> String {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        let room = cap - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == cap {
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// Reads a JSON body of a known type, up to `cap` bytes.
///
/// # Errors
/// [`Code::TooLarge`] past the cap, [`Code::Protocol`] where the JSON is not of that type.
pub async fn json<T: DeserializeOwned>(answer: reqwest::Response, cap: usize) -> Result<T, Fault> {
    let path = answer_path(&answer);
    let body = read(answer, cap).await?;
    typed(&path, &body)
}

/// Reads JSON of a known type; the path is that of the answer, for a message.
///
/// # Errors
/// [`Code::Protocol`] where the JSON is not of that type.
pub fn typed<T: DeserializeOwned>(path: &str, body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|e| {
        Fault::new(Code::Protocol, format!("the answer of {path} is not what it should be: {e}"))
    })
}

fn answer_path(answer: &reqwest::Response) -> String {
    answer.url().path().to_owned()
}

/// Bytes as small hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all");
        text
    })
}
