//! What is asked of a server that writes down what is said.

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::stream;
use reqwest::multipart::{Form, Part};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    backends::{
        attachment::Asked,
        litellm::{fields::Fields, left::Left, offer::Mode, request::Addressed},
    },
    model::{Code, Fault},
};

/// A piece of a file that is sent.
const PIECE: usize = 64 * 1024;

/// Audio to be transcribed.
#[derive(Debug, Clone)]
#[must_use]
pub struct TranscribeRequest {
    audio: Audio,
    /// What the server shall call it, where that is not its name here.
    name: Option<String>,
    fields: Fields,
}

/// Audio to be sent. The name's extension tells OpenAI what it is; where it has none, one is made from the bytes.
#[derive(Debug, Clone)]
pub enum Audio {
    /// A file of this machine.
    Path(PathBuf),
    /// Bytes, and the name that the server shall see.
    Bytes {
        /// The name.
        name: String,
        /// The bytes.
        bytes: Bytes,
    },
}

impl TranscribeRequest {
    /// A transcription of this.
    pub fn new(audio: Audio) -> Self {
        Self { audio, name: None, fields: Fields::default() }
    }

    /// A transcription from the fields that a caller gave; `file` is `{"$file": PATH}`.
    ///
    /// # Errors
    /// [`Code::BadRequest`]: it is no object, has no such `file`, or carries a field that no request may.
    pub fn from_json(body: &RawValue) -> Result<Self, Fault> {
        let mut fields = Fields::parse(body)?;
        let file = fields.get("file").and_then(|file| serde_json::from_str::<Asked>(file.get()).ok());
        let Some(asked) = file else {
            return Err(Fault::new(Code::BadRequest, "the request has no `file`")
                .with_fix(r#"Name the audio as `"file": {"$file": "PATH"}`."#));
        };
        fields.remove("file");
        let name = Some(asked.name().to_owned());
        Ok(Self { audio: Audio::Path(asked.file.into()), name, fields })
    }

    /// The model to ask. Without one the first transcription model of the backend is asked.
    pub fn model(mut self, name: impl AsRef<str>) -> Self {
        self.fields = self.fields.plain("model", &name.as_ref());
        self
    }

    /// Any other field (`language`, `prompt`, `response_format`, …).
    ///
    /// # Errors
    /// [`Code::BadRequest`]: it cannot be written as JSON, or no request may carry it.
    pub fn set(mut self, name: &str, value: &impl Serialize) -> Result<Self, Fault> {
        self.fields = self.fields.with(name, value)?;
        Ok(self)
    }

    /// The body. Fields come before the file, so that no server has all of the request before the file leaves.
    pub(super) async fn form(&self, left: &Left) -> Result<Form, Fault> {
        let form =
            fields(&self.fields).into_iter().fold(Form::new(), |form, (name, text)| form.text(name, text));
        Ok(form.part("file", part(&self.audio, self.name.as_deref(), left).await?))
    }
}

impl Addressed for TranscribeRequest {
    const MODE: Mode = Mode::Transcribe;

    fn fields(&self) -> &Fields {
        &self.fields
    }

    fn with_model(self, name: &str) -> Self {
        self.model(name)
    }
}

/// The fields as a form has them: texts bare, lists as `name[]`, all else as JSON. Nothing is streamed.
fn fields(fields: &Fields) -> Vec<(String, String)> {
    let mut form = Vec::new();
    for (name, value) in fields.iter().filter(|(name, _)| *name != "stream") {
        match serde_json::from_str::<Vec<&RawValue>>(value.get()) {
            Ok(list) => form.extend(list.into_iter().map(|item| (format!("{name}[]"), plain(item)))),
            Err(_) if value.get() == "null" => {}
            Err(_) => form.push((name.to_owned(), plain(value))),
        }
    }
    form
}

fn plain(value: &RawValue) -> String {
    serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

async fn part(audio: &Audio, called: Option<&str>, left: &Left) -> Result<Part, Fault> {
    let (name, head, length, body) = match audio {
        Audio::Bytes { name, bytes } => (
            name.clone(),
            bytes.slice(..bytes.len().min(PIECE)),
            bytes.len() as u64,
            left.bytes(bytes.clone()),
        ),
        Audio::Path(path) => {
            let bad = |e: std::io::Error| {
                let message = format!("{} cannot be read: {e}", path.display());
                Fault::new(Code::Disk, message).with_fix("Correct the path in `$file`, or the file's rights.")
            };
            let mut file = tokio::fs::File::open(path).await.map_err(bad)?;
            let length = file.metadata().await.map_err(bad)?.len();
            let head = piece(&mut file).await.map_err(bad)?;
            let first = stream::iter([Ok(head.clone())]);
            let rest = stream::try_unfold(file, async |mut file| {
                let bytes = piece(&mut file).await?;
                Ok::<_, std::io::Error>((!bytes.is_empty()).then_some((bytes, file)))
            });
            let all = left.stream(futures_util::StreamExt::chain(first, rest));
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            (name, head, length, reqwest::Body::wrap_stream(all))
        }
    };
    let name = called.map_or(name, str::to_owned);
    Ok(Part::stream_with_length(body, length).file_name(named(name, &head)))
}

async fn piece(file: &mut tokio::fs::File) -> std::io::Result<Bytes> {
    use tokio::io::AsyncReadExt;
    let mut bytes = bytes::BytesMut::with_capacity(PIECE);
    file.read_buf(&mut bytes).await?;
    Ok(bytes.freeze())
}

/// A name with an extension.
fn named(name: String, head: &[u8]) -> String {
    let has_one = std::path::Path::new(&name).extension().is_some();
    match infer::get(head).filter(|_| !has_one) {
        Some(kind) => format!("{name}.{}", kind.extension()),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn fields_become_a_form() {
        let body = raw(
            r#"{"file":{"$file":"a.wav"},"model":"m","temperature":0.5,"timestamp_granularities":["word","segment"],"stream":true,"language":null}"#,
        );
        let request = TranscribeRequest::from_json(&body).unwrap();
        let pairs = fields(&request.fields);
        let pairs: Vec<_> = pairs.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let granularity = "timestamp_granularities[]";
        assert_eq!(
            pairs,
            [("model", "m"), ("temperature", "0.5"), (granularity, "word"), (granularity, "segment")]
        );
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_the_reason() {
        for body in ["[]", "{}", r#"{"file":"a.wav"}"#, r#"{"file":{"$file":"a.wav"},"api_key":"x"}"#] {
            assert_eq!(
                TranscribeRequest::from_json(&raw(body)).unwrap_err().code(),
                Code::BadRequest,
                "{body}"
            );
        }
    }

    #[test]
    fn a_name_without_an_extension_gets_one_from_the_bytes() {
        assert_eq!(named("0f3a".to_owned(), b"RIFF0000WAVEfmt "), "0f3a.wav");
        assert_eq!(named("speech.mp3".to_owned(), b"RIFF0000WAVEfmt "), "speech.mp3");
        assert_eq!(named("0f3a".to_owned(), b"nothing known"), "0f3a");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_sends_nothing() {
        let left = Left::default();
        let request = TranscribeRequest::new(Audio::Path("no/such/file.wav".into()));
        assert_eq!(request.form(&left).await.unwrap_err().code(), Code::Disk);
        assert!(!left.any());
    }
}
