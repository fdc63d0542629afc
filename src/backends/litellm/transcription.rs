//! Transcriptions of audio.

use bytes::Bytes;

use crate::{
    backends::litellm::{open::open_struct, usage::Usage},
    model::{Code, Fault},
};

open_struct! {
    /// The answer to a transcription request.
    pub struct Transcription {
        /// What was said; with `response_format` `srt` or `vtt` the subtitles.
        text: String = "text",
        /// What it cost, where the server says: tokens, or seconds.
        usage: Option<Usage> = "usage",
    }
}

impl Transcription {
    /// Reads an answer: a document, or, as asked for by `response_format` (`text`, `srt`, `vtt`), the bare text.
    pub(super) fn read(body: &Bytes) -> Result<Self, Fault> {
        let text = std::str::from_utf8(body)
            .map_err(|_| Fault::new(Code::Protocol, "the answer to a transcription is no text"))?;
        if !text.trim_start().starts_with('{') {
            return Ok(Self { text: text.to_owned(), ..Self::default() });
        }
        serde_json::from_str(text)
            .map_err(|e| Fault::new(Code::Protocol, format!("the answer is no transcription: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_and_a_bare_text_are_read() {
        let whole = r#"{"text":"hi","usage":{"type":"duration","seconds":4},"segments":[{"id":0}]}"#;
        let read = Transcription::read(&Bytes::from(whole)).unwrap();
        assert_eq!((read.text.as_str(), read.extra.len()), ("hi", 1));
        let bare = Transcription::read(&Bytes::from("1\n00:00:00,000 --> 00:00:01,000\nhi\n")).unwrap();
        assert!(bare.text.ends_with("hi\n"));
        for bad in [&b"{\"text\":"[..], b"\xff\xfe"] {
            let fault = Transcription::read(&Bytes::copy_from_slice(bad)).unwrap_err();
            assert_eq!(fault.code(), Code::Protocol);
        }
    }
}
