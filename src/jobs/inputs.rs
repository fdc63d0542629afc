//! The files that jobs take: copied into the state directory when a job is accepted, under the SHA-256 of their bytes,
//! so that what becomes of the original changes nothing and the next start finds them.
//!
//! In a request a file is a path or the handle of an upload; in the journal it is a hash; a backend gets a path again.

mod gather;
mod incoming;
mod keep;
mod pin;

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde_json::value::{RawValue, to_raw_value};

use self::pin::Pins;
pub(crate) use self::{gather::gather, incoming::Incoming, pin::Held};
use crate::{
    backends::attachment,
    model::{Code, Fault, Work},
};

/// Largest file that a job takes.
pub(crate) const INPUT_CAP: u64 = 8 * 1024 * 1024 * 1024;
/// How long an upload waits for a job that takes it.
pub(crate) const UPLOAD_LIFE: Duration = Duration::from_secs(24 * 3600);
/// What a handle begins with; no path does.
const HANDLE: &str = "upload:";
/// Longest name of a file that is passed on.
const NAME_CAP: usize = 100;

/// Where the files lie; without a state directory there is none, and paths are used as they are.
#[derive(Debug)]
pub(crate) struct Inputs {
    directory: PathBuf,
    pins: Pins,
}

/// Whether a request may name paths of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Paths {
    /// It may: the host's own code, or somebody on this machine who has the token.
    #[default]
    Allowed,
    /// Handles of uploads alone.
    Refused,
}

/// A file that is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// SHA-256 of its bytes, hexadecimal.
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

impl Inputs {
    pub(crate) fn new(directory: PathBuf) -> Arc<Self> {
        Arc::new(Self { directory, pins: Pins::default() })
    }

    fn place(&self, sha256: &str) -> PathBuf {
        self.directory.join(sha256)
    }

    /// The work as a backend takes it: with paths in place of the hashes.
    pub(crate) fn located(&self, work: &Work) -> Work {
        let (_, document) = work.document();
        if !work.takes_files() || !attachment::may_be_in(document) {
            return work.clone();
        }
        let path = |asked: &attachment::Asked| {
            let place = self.place(&asked.file);
            is_hash(&asked.file).then(|| attachment::form(&place.to_string_lossy(), asked.name()))
        };
        match attachment::put(document, path) {
            Ok(located) => work.with_document(located.into()),
            // It was read when it was accepted; what cannot be read now the backend says.
            Err(_) => work.clone(),
        }
    }
}

/// The handle of an upload: its hash, and the name that a backend shall see.
#[cfg_attr(not(feature = "dashboard"), allow(dead_code, reason = "only the API answers handles"))]
pub(crate) fn handle(stored: &Stored, name: &str) -> String {
    format!("{HANDLE}{}:{}", stored.sha256, safe_name(name))
}

/// Hash and name of a handle; `None` for what is none.
fn read_handle(text: &str) -> Option<(&str, &str)> {
    let (sha256, name) = text.strip_prefix(HANDLE)?.split_once(':')?;
    is_hash(sha256).then_some((sha256, name))
}

/// Whether a request means an upload by it.
#[cfg(feature = "cli")]
pub(crate) fn is_handle(text: &str) -> bool {
    read_handle(text).is_some()
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A name without directories, control characters or a leading dot; a backend keeps its extension.
pub(crate) fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_' | ' ' | '(' | ')');
    let kept: String = last.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
    let kept = kept.trim_matches([' ', '.']);
    let surplus = kept.chars().count().saturating_sub(NAME_CAP);
    let kept: String = kept.chars().skip(surplus).collect();
    if kept.is_empty() { "file".to_owned() } else { kept }
}

fn raw(value: &impl serde::Serialize) -> Result<Arc<RawValue>, Fault> {
    to_raw_value(value).map(Arc::from).map_err(|e| Fault::new(Code::BadRequest, e.to_string()))
}

#[cfg(test)]
mod tests;
