//! What came of a job, from the instance into a directory of the caller's.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use http::Method;
use sha2::{Digest, Sha256};
use tokio::{
    fs::{File, OpenOptions},
    io::AsyncWriteExt,
};

use crate::{
    cli::{follow::Job, instance::Reached, outcome::Stop},
    model::OutputFile,
    net::body::hex,
};

/// Longest wait for the head of an answer.
const HEAD: std::time::Duration = std::time::Duration::from_secs(30);
/// Longest silence of a download.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Brings the outputs of a job into a directory; its `url` is the place there from then on. Those that are `saved`
/// already are left as they are, and each that comes is added to them.
pub(super) async fn outputs(
    reached: &Reached,
    mut job: Job,
    directory: &Path,
    saved: &mut Vec<OutputFile>,
) -> Result<Job, Stop> {
    for output in job.outputs.iter().skip(saved.len()) {
        let place = save(reached, &job.id, output, directory).await?;
        saved.push(OutputFile { url: place.display().to_string(), ..output.clone() });
    }
    job.place(std::mem::take(saved));
    Ok(job)
}

async fn save(reached: &Reached, id: &str, output: &OutputFile, directory: &Path) -> Result<PathBuf, Stop> {
    let disk = |what: &Path, e: std::io::Error| {
        Stop::new(
            1,
            format!("{}: {e}", what.display()),
            "Correct the directory, or name another with `--out`.",
        )
    };
    tokio::fs::create_dir_all(directory).await.map_err(|e| disk(directory, e))?;
    let request = reached.request(Method::GET, &format!("api/v1/jobs/{id}/outputs/{}", output.name), None);
    let mut answer = reached.answer(request, HEAD).await?;
    let part = directory.join(format!(".{}.part", uuid::Uuid::new_v4().simple()));
    let mut file = File::create_new(&part).await.map_err(|e| disk(&part, e))?;
    let mut hash = Sha256::new();
    let copied = async {
        loop {
            let chunk = tokio::time::timeout(SILENCE, answer.chunk()).await;
            let chunk = chunk.map_err(|_| Stop::failed(format!("`{}` came too slowly", output.name)))?;
            let gone = |e| Stop::no_instance(&format!("`{}` was cut off: {e}", output.name));
            let Some(chunk) = chunk.map_err(gone)? else { break };
            hash.update(&chunk);
            file.write_all(&chunk).await.map_err(|e| disk(&part, e))?;
        }
        file.sync_all().await.map_err(|e| disk(&part, e))?;
        if hex(&hash.finalize()) != output.sha256 {
            return Err(Stop::failed(format!("`{}` has other bytes than the instance says", output.name)));
        }
        let place = free(directory, &output.name).await.map_err(|e| disk(directory, e))?;
        tokio::fs::rename(&part, &place).await.map_err(|e| disk(&place, e))?;
        Ok(place)
    };
    let copied = copied.await;
    if copied.is_err() {
        // The cause is on its way to the caller.
        let _ = tokio::fs::remove_file(&part).await;
    }
    copied
}

/// A place that is not taken: nothing is written over. The name is looked at once more, whoever gave it.
async fn free(directory: &Path, name: &str) -> std::io::Result<PathBuf> {
    let name = crate::jobs::inputs::safe_name(name);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, "bin"));
    for turn in 0u32.. {
        let place = directory.join(match turn {
            0 => format!("{stem}.{extension}"),
            turn => format!("{stem}-{turn}.{extension}"),
        });
        match OpenOptions::new().create_new(true).write(true).open(&place).await {
            Ok(_reserved) => return Ok(place),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    unreachable!("there are more numbers than files")
}
