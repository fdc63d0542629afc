//! Fetching what a job left at its backend: streamed to disk, hashed, under names of our own.

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
    time::Instant,
};

use crate::{
    backends::RemoteFile,
    connection::Lease,
    error::Error,
    jobs::errand::Seat,
    model::{Code, Fault, OutputFile},
    net::body::hex,
    pool::{Ask, Purpose},
    roster::Roster,
};

/// Largest file that is fetched.
const FILE_CAP: u64 = 64 * 1024 * 1024 * 1024;
/// Longest silence of a download.
const SILENCE: Duration = Duration::from_secs(60);
/// How often a download is taken up again.
const TRIES: u32 = 5;
/// How long a lost session may take to come back for a download.
const COMEBACK: Duration = Duration::from_secs(60);

/// Fetches one file into `directory`, as `INDEX.EXTENSION`, the extension by its bytes. A download that breaks is
/// taken up where it stopped, on the next session.
///
/// # Errors
/// The network's, the backend's, or the disk's. Nothing half-done is left under the final name.
pub(crate) async fn save(
    roster: &Arc<Roster>,
    lease: &mut Seat,
    file: &RemoteFile,
    directory: &Path,
    index: usize,
) -> Result<OutputFile, Fault> {
    let disk = |what: &str, e: std::io::Error| {
        Fault::new(Code::Disk, format!("{}: {what}: {e}", directory.display()))
    };
    tokio::fs::create_dir_all(directory).await.map_err(|e| disk("cannot be made", e))?;
    let part = directory.join(format!(".{index}.{}.part", uuid::Uuid::new_v4().simple()));
    let mut out = OpenOptions::new()
        .create_new(true)
        .read(true)
        .write(true)
        .open(&part)
        .await
        .map_err(|e| disk("a file cannot be made", e))?;
    let fetched = fetch(roster, lease, file, &mut out).await;
    let saved = match fetched {
        Ok(bytes) => {
            seal(out, &part, directory, index, file, bytes).await.map_err(|e| disk("cannot be written", e))
        }
        Err(fault) => Err(fault),
    };
    if saved.is_err() {
        // The cause is on its way to the caller; a leftover that cannot be removed does not replace it.
        let _ = tokio::fs::remove_file(&part).await;
    }
    saved
}

async fn fetch(
    roster: &Arc<Roster>,
    lease: &mut Seat,
    file: &RemoteFile,
    out: &mut File,
) -> Result<u64, Fault> {
    let mut have = 0;
    let mut tries = 0;
    loop {
        match pull(lease, file, out, &mut have).await {
            Ok(()) => return Ok(have),
            Err(fault) if fault.is_retryable() && tries < TRIES && fault.code() != Code::TooLarge => {
                tries += 1;
                tracing::info!(%fault, have, "a download is taken up again");
                if lease.ended().is_some() {
                    *lease = back(roster, lease).await?;
                }
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// The next session of the same backend.
async fn back(roster: &Roster, lease: &Seat) -> Result<Seat, Fault> {
    let lost = |error: Error| Fault::new(Code::Unavailable, error.to_string());
    let route = roster.route(lease.backend().as_str()).map_err(lost)?;
    let ask = Ask { purpose: Purpose::TakeUp, ..Ask::default() };
    let entered = roster.line.enter(&route, &ask, Instant::now() + COMEBACK).await;
    let pass = entered.map_err(|_| lost(route.excuse(&ask, COMEBACK)))?;
    Ok(Arc::new(Lease::new(pass)))
}

/// Reads from byte `have` on; moves `have` with what is written.
async fn pull(lease: &Seat, file: &RemoteFile, out: &mut File, have: &mut u64) -> Result<(), Fault> {
    let disk = |e: std::io::Error| Fault::new(Code::Disk, format!("an output cannot be written: {e}"));
    let mut download = lease.fetch(file.clone(), *have).await?;
    // A backend that cannot resume begins at 0 again.
    *have = download.offset;
    out.set_len(*have).await.map_err(disk)?;
    out.seek(std::io::SeekFrom::Start(*have)).await.map_err(disk)?;
    loop {
        let silent = || Fault::new(Code::RequestTimeout, format!("a download was silent for {SILENCE:?}"));
        let Some(bytes) = tokio::time::timeout(SILENCE, download.bytes.next()).await.map_err(|_| silent())?
        else {
            break;
        };
        let bytes = bytes?;
        *have += bytes.len() as u64;
        if *have > FILE_CAP {
            return Err(Fault::new(Code::TooLarge, format!("an output is over {FILE_CAP} bytes")));
        }
        out.write_all(&bytes).await.map_err(disk)?;
    }
    match download.total {
        Some(total) if total != *have => {
            Err(Fault::new(Code::ConnectionReset, format!("a download stopped at {have} of {total} bytes")))
        }
        _ => Ok(()),
    }
}

/// Makes it durable, then visible under its final name.
async fn seal(
    mut out: File,
    part: &Path,
    directory: &Path,
    index: usize,
    file: &RemoteFile,
    bytes: u64,
) -> std::io::Result<OutputFile> {
    out.flush().await?;
    out.sync_all().await?;
    out.seek(std::io::SeekFrom::Start(0)).await?;
    let (mut hash, mut head, mut buffer) = (Sha256::new(), Vec::new(), vec![0; 256 * 1024]);
    loop {
        let read = out.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        if head.len() < 8192 {
            head.extend_from_slice(&buffer[..read.min(8192)]);
        }
        hash.update(&buffer[..read]);
    }
    drop(out);
    let (extension, media_type) = sniff(&head, file.claimed_type.as_deref());
    let name = free_name(directory, index, extension).await?;
    tokio::fs::rename(part, directory.join(&name)).await?;
    let url = directory.join(&name).display().to_string();
    Ok(OutputFile { name, media_type, bytes, sha256: hex(&hash.finalize()), url })
}

/// A name that is not taken: nothing of an earlier job is written over.
async fn free_name(directory: &Path, index: usize, extension: &str) -> std::io::Result<String> {
    for turn in 0u32.. {
        let name = match turn {
            0 => format!("{index}.{extension}"),
            turn => format!("{index}-{turn}.{extension}"),
        };
        match OpenOptions::new().create_new(true).write(true).open(directory.join(&name)).await {
            Ok(_reserved) => return Ok(name),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    unreachable!("there are more numbers than files")
}

/// By its bytes; where they say nothing, a claim of a plain kind is believed, since it names no program.
fn sniff(head: &[u8], claimed: Option<&str>) -> (&'static str, String) {
    if let Some(kind) = infer::get(head) {
        return (kind.extension(), kind.mime_type().to_owned());
    }
    let text = std::str::from_utf8(head).is_ok()
        || std::str::from_utf8(&head[..head.len().saturating_sub(4)]).is_ok();
    match claimed {
        Some("application/json") if text => ("json", "application/json".to_owned()),
        _ if text && !head.is_empty() => ("txt", "text/plain; charset=utf-8".to_owned()),
        _ => ("bin", "application/octet-stream".to_owned()),
    }
}
