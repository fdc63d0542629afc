//! The files of a workflow: `{"$file": PATH}` in place of an image's name is sent to the input folder first.

use futures_util::stream;
use serde_json::value::{RawValue, to_raw_value};
use tokio::io::AsyncReadExt;

use crate::{
    backends::{attachment, comfyui::session::Session},
    model::{Code, Fault},
};

/// Bytes of a file that are read at once.
const PART: usize = 256 * 1024;

/// The workflow with the server's names in place of its files. One without files stays as it is, to the byte. A file
/// that the server has already under that name is not kept twice by it (0.3.64 and 0.24.0 compare the bytes).
pub(super) async fn attach(session: &Session, raw: &RawValue) -> Result<Box<RawValue>, Fault> {
    let mut there = Vec::new();
    for (asked, place) in attachment::asked(raw, "workflow")? {
        let bad = |e: std::io::Error| {
            Fault::new(Code::Disk, format!("`{place}`: {} cannot be read: {e}", asked.file))
                .with_fix("Correct the path in `$file`, or the file's rights.")
        };
        let file = tokio::fs::File::open(&asked.file).await.map_err(bad)?;
        let length = file.metadata().await.map_err(bad)?.len();
        let uploaded = session.upload_image(asked.name(), length, parts(file)).await?;
        let name = to_raw_value(&uploaded.reference()).expect("a text is JSON");
        there.push((asked, name));
    }
    attachment::put(raw, |asked| there.iter().find(|(known, _)| known == asked).map(|(_, name)| name.clone()))
}

fn parts(file: tokio::fs::File) -> impl stream::Stream<Item = std::io::Result<bytes::Bytes>> + Send {
    stream::try_unfold(file, |mut file| async move {
        let mut part = vec![0; PART];
        let read = file.read(&mut part).await?;
        part.truncate(read);
        Ok((read > 0).then(|| (part.into(), file)))
    })
}
