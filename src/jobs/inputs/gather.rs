//! From what a request names to files that are here, and to a request that names their hashes.

use std::{path::Path, sync::Arc};

use serde_json::value::RawValue;
use tokio::{fs::File, io::AsyncReadExt};

use super::{Held, INPUT_CAP, Incoming, Inputs, Paths, Stored, raw, read_handle, safe_name};
use crate::{
    backends::attachment::{self, Asked},
    model::{Code, Fault, Work},
};

/// Bytes of a file that are read at once.
const PART: usize = 256 * 1024;

/// Brings every file of a piece of work here, or looks whether it is there where nothing is kept. Answers the work with
/// hashes in place of paths and handles; the files stay as long as they are held.
///
/// # Cancel safety
/// Dropping the future gives up what is half copied.
///
/// # Errors
/// [`Code::BadRequest`] for a file that is not there, cannot be read, is none or is too large, with its place in the
/// request; [`Code::Disk`] where it cannot be kept.
pub(crate) async fn gather(
    store: Option<&Arc<Inputs>>,
    work: Work,
    paths: Paths,
) -> Result<(Work, Held), Fault> {
    let (root, document) = work.document();
    if !work.takes_files() || !attachment::may_be_in(document) {
        return Ok((work, Held::default()));
    }
    let mut held = store.map(|store| Held::new(store.clone())).unwrap_or_default();
    let mut here: Vec<(Asked, Box<RawValue>)> = Vec::new();
    for (asked, place) in attachment::asked(document, root)? {
        let at = |fault: Fault| Fault::new(fault.code(), format!("`{place}`: {fault}")).with_fix(fault.fix());
        let Some(store) = store else {
            if read_handle(&asked.file).is_some() {
                return Err(at(nothing_kept()));
            }
            open(&asked, paths).await.map_err(at)?;
            continue;
        };
        let (stored, name) = match read_handle(&asked.file) {
            Some((sha256, name)) => (store.uploaded(sha256, &mut held).await.map_err(at)?, name),
            None => (copy(store, &asked, paths, &mut held).await.map_err(at)?, asked.name()),
        };
        here.push((asked.clone(), attachment::form(&stored.sha256, &safe_name(name))));
    }
    let named = attachment::put(document, |asked| {
        here.iter().find(|(known, _)| known == asked).map(|(_, form)| form.clone())
    })?;
    let work = work.with_document(raw(&named)?);
    Ok((work, held))
}

fn nothing_kept() -> Fault {
    Fault::new(Code::BadRequest, "uploads are kept only where there is a state directory")
        .with_fix("Name a path, or start with a state directory.")
}

/// Opens a file of this machine that a request names.
async fn open(asked: &Asked, paths: Paths) -> Result<(File, u64), Fault> {
    let path = Path::new(&asked.file);
    let bad = |why: String, fix: &str| Fault::new(Code::BadRequest, why).with_fix(fix);
    if paths == Paths::Refused {
        let why = "a path of this machine may not be named from elsewhere".to_owned();
        return Err(bad(why, "Send the file to /api/v1/files, and name the handle that it answers."));
    }
    let unreadable = |e: std::io::Error| {
        bad(format!("{} cannot be read: {e}", path.display()), "Correct the path, or the file's rights.")
    };
    // A pipe would never end, and opening one waits: the look comes first.
    let found = tokio::fs::metadata(path).await.map_err(unreadable)?;
    if !found.is_file() {
        let what = if found.is_dir() { "a directory" } else { "no plain file" };
        return Err(bad(format!("{} is {what}", path.display()), "Name a file."));
    }
    if found.len() > INPUT_CAP {
        let why = format!(
            "{} has {} bytes; a job takes at most {} GiB a file",
            path.display(),
            found.len(),
            INPUT_CAP >> 30
        );
        return Err(bad(why, "Give the job a smaller file."));
    }
    Ok((File::open(path).await.map_err(unreadable)?, found.len()))
}

async fn copy(store: &Arc<Inputs>, asked: &Asked, paths: Paths, held: &mut Held) -> Result<Stored, Fault> {
    let (mut file, _) = open(asked, paths).await?;
    let mut incoming = Incoming::new(store).await?;
    let mut part = vec![0; PART];
    loop {
        let read = file.read(&mut part).await;
        let read = read.map_err(|e| {
            Fault::new(Code::BadRequest, format!("{} cannot be read: {e}", asked.file))
                .with_fix("Correct the file, or its rights.")
        })?;
        if read == 0 {
            return incoming.finish(held).await;
        }
        incoming.write(&part[..read]).await?;
    }
}
