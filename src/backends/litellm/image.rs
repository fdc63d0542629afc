//! What is asked of a server that makes images, and what becomes of its answer.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    backends::{
        RemoteFile,
        litellm::{
            fields::Fields,
            offer::Mode,
            picture::{Images, Picture},
            request::Addressed,
            stash::Stash,
        },
    },
    model::{Code, Fault},
};

/// The most pictures of one answer that are kept.
const PICTURES: usize = 64;

/// Images to be made.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ImageRequest {
    fields: Fields,
}

impl ImageRequest {
    /// A picture of this.
    pub fn new(prompt: impl AsRef<str>) -> Self {
        Self { fields: Fields::default().plain("prompt", &prompt.as_ref()) }
    }

    /// Images from the body that a caller gave, for `/v1/images/generations`.
    ///
    /// # Errors
    /// [`Code::BadRequest`]: it is no object, has no `prompt`, or carries a field that no request may.
    pub fn from_json(body: &RawValue) -> Result<Self, Fault> {
        Ok(Self { fields: Fields::parse_with(body, "prompt")? })
    }

    /// The model to ask. Without one the first image model of the backend is asked.
    pub fn model(mut self, name: impl AsRef<str>) -> Self {
        self.fields = self.fields.plain("model", &name.as_ref());
        self
    }

    /// Any other field (`n`, `size`, `response_format`, …).
    ///
    /// # Errors
    /// [`Code::BadRequest`]: it cannot be written as JSON, or no request may carry it.
    pub fn set(mut self, name: &str, value: &impl Serialize) -> Result<Self, Fault> {
        self.fields = self.fields.with(name, value)?;
        Ok(self)
    }

    /// The body, to be answered whole.
    pub(super) fn body(&self) -> Bytes {
        let mut fields = self.fields.clone();
        fields.remove("stream");
        fields.remove("partial_images");
        fields.to_bytes()
    }
}

impl Addressed for ImageRequest {
    const MODE: Mode = Mode::Image;

    fn fields(&self) -> &Fields {
        &self.fields
    }

    fn with_model(self, name: &str) -> Self {
        self.model(name)
    }
}

/// Where a picture is until it is fetched.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// It came in the answer, and lies in our stash under this name.
    Stash(String),
    /// The server named this address.
    Url(String),
}

/// Reads an answer to an image request.
pub(super) fn read(body: &[u8]) -> Result<Images, Fault> {
    let wrong = |why: &str| Fault::new(Code::Protocol, format!("the answer has no images: {why}"));
    let images: Images = serde_json::from_slice(body).map_err(|e| wrong(&e.to_string()))?;
    if images.data.is_empty() { Err(wrong("no `data`")) } else { Ok(images) }
}

/// The pictures of an answer as files to be fetched; what came inside the answer goes from there into the stash.
pub(super) fn files(images: &mut Images, stash: &Stash) -> Result<Vec<RemoteFile>, Fault> {
    let pictures = images.data.iter_mut().take(PICTURES).enumerate();
    pictures.filter_map(|(at, picture)| file(at, picture, stash).transpose()).collect()
}

fn file(at: usize, picture: &mut Picture, stash: &Stash) -> Result<Option<RemoteFile>, Fault> {
    let place = match (picture.b64_json.take(), &picture.url) {
        (Some(text), _) => {
            let bad = |e| Fault::new(Code::Protocol, format!("picture {at} of the answer is no base64: {e}"));
            Place::Stash(stash.put(STANDARD.decode(text.trim()).map_err(bad)?.into()))
        }
        (None, Some(url)) => Place::Url(url.clone()),
        (None, None) => return Ok(None),
    };
    let locator = serde_json::to_string(&place).expect("two texts can be written");
    Ok(Some(RemoteFile { name: format!("picture {at}"), claimed_type: None, slot: at.to_string(), locator }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_picture_becomes_a_file_and_its_bytes_leave_the_result() {
        let stash = Stash::default();
        let answer =
            r#"{"data":[{"b64_json":"AQI="},{"url":"https://h.example/a.png"},{"revised_prompt":"x"}]}"#;
        let mut images = read(answer.as_bytes()).unwrap();
        let files = files(&mut images, &stash).unwrap();
        assert_eq!(files.len(), 2);
        let Place::Stash(name) = serde_json::from_str(&files[0].locator).unwrap() else {
            panic!("{files:?}")
        };
        assert_eq!(stash.get(&name).unwrap(), &[1u8, 2][..]);
        assert_eq!(files[1].locator, r#"{"url":"https://h.example/a.png"}"#);
        assert_eq!(
            serde_json::to_string(&images).unwrap(),
            r#"{"data":[{},{"url":"https://h.example/a.png"},{"revised_prompt":"x"}]}"#
        );
    }

    #[test]
    fn what_is_no_picture_is_told() {
        for bad in ["", "{}", r#"{"data":[]}"#, "<html>"] {
            assert_eq!(read(bad.as_bytes()).unwrap_err().code(), Code::Protocol, "{bad}");
        }
        let mut images = read(br#"{"data":[{"b64_json":"not base64!"}]}"#).unwrap();
        assert_eq!(files(&mut images, &Stash::default()).unwrap_err().code(), Code::Protocol);
    }

    #[test]
    fn a_request_is_answered_whole_and_leaks_no_key() {
        let request = ImageRequest::new("a dot").model("m").set("stream", &true).unwrap();
        assert_eq!(&request.body()[..], br#"{"prompt":"a dot","model":"m"}"#);
        for name in ["api_base", "base_url", "api_key"] {
            assert!(ImageRequest::new("x").set(name, &"y").is_err(), "{name}");
        }
        let none = RawValue::from_string("{}".to_owned()).unwrap();
        assert_eq!(ImageRequest::from_json(&none).unwrap_err().code(), Code::BadRequest);
    }
}
