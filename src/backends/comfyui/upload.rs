//! Images and other input files, sent to the server's input folder.

use bytes::Bytes;
use futures_util::Stream;
use http::Method;
use reqwest::multipart::{Form, Part};
use serde::{Deserialize, Serialize};

use crate::{
    backends::comfyui::session::{Session, unexpected},
    model::{Code, Fault},
    net::body,
};

/// A file as the server keeps it. The name is the server's: a taken one gets a number (`a (1).png`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    /// Its name in its folder.
    pub name: String,
    /// Its folder below the kind's own; empty at the top.
    #[serde(default)]
    pub subfolder: String,
    /// `input` or `temp`.
    #[serde(default, rename = "type")]
    pub folder: String,
}

impl Uploaded {
    /// How an input of a workflow names it: with its folder, and its kind where that is not `input`.
    pub fn reference(&self) -> String {
        let path = match self.subfolder.as_str() {
            "" => self.name.clone(),
            folder => format!("{folder}/{}", self.name),
        };
        if matches!(self.folder.as_str(), "" | "input") { path } else { format!("{path} [{}]", self.folder) }
    }
}

impl Session {
    /// Sends a file to the input folder, as a stream: at no time is it whole in memory. The server takes any kind of
    /// file, up to 100 MiB by default.
    ///
    /// # Cancel safety
    /// Dropping the future ends the upload; the server throws an incomplete one away.
    ///
    /// # Errors
    /// [`Code::BadRequest`] where the server refuses the name or the size, the network's faults.
    pub async fn upload_image(
        &self,
        name: &str,
        length: u64,
        bytes: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Result<Uploaded, Fault> {
        let _flight = self.fly();
        let part =
            Part::stream_with_length(reqwest::Body::wrap_stream(bytes), length).file_name(name.to_owned());
        let request =
            self.http().keyed(Method::POST, "upload/image").multipart(Form::new().part("image", part));
        // The answer comes after the last byte: an upload may take as long as a stream may.
        let limit = self.target().timeouts.idle_stream;
        let exchange = async {
            let answer = self.http().send(request, limit).await?;
            match answer.status().as_u16() {
                200 => body::json(answer, body::ERROR_CAP).await,
                400 => Err(Fault::new(Code::BadRequest, format!("ComfyUI refuses the name `{name}`"))),
                413 => Err(Fault::new(
                    Code::BadRequest,
                    format!("`{name}` is too large for ComfyUI ({length} bytes)"),
                )
                .with_fix("Start ComfyUI with a larger --max-upload-size, or send a smaller file.")),
                _ => Err(unexpected(answer.status(), "upload/image")),
            }
        };
        self.bounded(limit, exchange).await
    }
}
