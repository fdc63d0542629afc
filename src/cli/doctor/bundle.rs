//! One file for a bug report: versions, checks, the configuration, what the instance knows, the end of its log.

use std::{
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
};

use serde_json::{Value, json};

use super::{Check, hidden::Secrets};
use crate::cli::{args::Common, config::whole, instance::Reached, outcome::Stop};

/// Lines of the log that go in, and the most that is read for them.
const LINES: usize = 300;
const TAIL: u64 = 256 * 1024;

/// What was found.
pub(super) struct Found<'a> {
    pub(super) checks: &'a [Check],
    pub(super) directory: &'a Path,
    pub(super) instance: Option<&'a Reached>,
}

/// Writes the bundle, readable by its owner alone; a file that is there is not written over.
///
/// # Errors
/// The file's.
pub(super) async fn write(
    common: &Common,
    file: &Path,
    found: &Found<'_>,
    secrets: &Secrets,
) -> Result<(), Stop> {
    let mut document = document(common, found).await;
    secrets.strip(&mut document);
    let text = serde_json::to_string_pretty(&document)
        .map_err(|e| Stop::failed(format!("the bundle cannot be written as JSON: {e}")))?;
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| {
        let message = match e.kind() {
            std::io::ErrorKind::AlreadyExists => {
                format!("{}: it exists, and is not written over", file.display())
            }
            _ => format!("{}: cannot be written: {e}", file.display()),
        };
        Stop::usage(message, "Name another file with `--bundle`.")
    })
}

async fn document(common: &Common, found: &Found<'_>) -> Value {
    let values = match whole(common) {
        Ok(loaded) => json!(loaded.values()),
        // The checks say what is wrong with it.
        Err(_) => Value::Null,
    };
    let (snapshot, notices) = match found.instance {
        Some(instance) => {
            (asked(instance, "api/v1/snapshot").await, asked(instance, "api/v1/notices?all=true").await)
        }
        None => (Value::Null, Value::Null),
    };
    json!({
        "made_at": jiff::Timestamp::now(),
        "backline": env!("CARGO_PKG_VERSION"),
        "system": { "os": std::env::consts::OS, "arch": std::env::consts::ARCH,
            "container": crate::net::container::container() },
        "checks": found.checks,
        "configuration": values,
        "snapshot": snapshot,
        "notices": notices,
        "log": log(&found.directory.join("backline.log")),
    })
}

async fn asked(instance: &Reached, path: &str) -> Value {
    let (path, query): (_, &[_]) = match path.strip_suffix("?all=true") {
        Some(path) => (path, &[("all", "true")]),
        None => (path, &[]),
    };
    instance.get_with(path, query).await.unwrap_or_default()
}

/// The last lines of the log; each is a JSON object, or a text where it is none.
fn log(path: &Path) -> Vec<Value> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut tail = Vec::new();
        file.take(TAIL).read_to_end(&mut tail)?;
        Ok(tail)
    };
    // No instance ever ran here: there is none.
    let tail = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&tail);
    let lines: Vec<_> = text.lines().collect();
    let last = lines.len().saturating_sub(LINES);
    lines[last..]
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| Value::String((*line).to_owned())))
        .collect()
}
