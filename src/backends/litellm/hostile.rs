//! Every reader of this folder on bytes that nobody vouches for, for the tests.

use crate::{
    backends::litellm::{
        assembly::Assembly,
        chat,
        complaint::Complaint,
        image,
        offer::Listing,
        redact::Redactor,
        stash::Stash,
        stream::{ChatReader, Manners, Read},
        transcription::Transcription,
    },
    net::sse::SseDecoder,
};

/// Reads bytes as a stream and as each whole answer.
pub(crate) fn read_hostile(bytes: &[u8]) {
    let redactor = Redactor::default();
    for manners in [Manners::Both, Manners::Either] {
        read_stream(bytes, ChatReader::new(redactor.clone(), manners));
    }
    if let Ok(whole) = chat::completion(bytes, &redactor) {
        let _ = (whole.text().len(), whole.usage.map(|usage| (usage.asked(), usage.answered())));
    }
    if let Ok(mut images) = image::read(bytes) {
        let _ = image::files(&mut images, &Stash::default());
    }
    let _ = Transcription::read(&bytes::Bytes::copy_from_slice(bytes));
    let _ = Listing::parse(bytes);
    let _ = serde_json::from_slice::<super::Embeddings>(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Complaint::of_body(text);
    }
}

fn read_stream(bytes: &[u8], mut reader: ChatReader) {
    let (mut decoder, mut assembly) = (SseDecoder::new(64 * 1024), Assembly::default());
    decoder.feed(bytes);
    while let Ok(Some(event)) = decoder.next_event() {
        match reader.event(&event) {
            Ok(Read::Chunk(chunk)) => assembly.add(*chunk),
            Ok(Read::Complete) => assert!(reader.is_complete(), "complete without the marker"),
            Ok(Read::Nothing) => {}
            Err(_) => break,
        }
    }
    let completion = assembly.finish();
    let written = serde_json::to_string(&completion).expect("what was read can be written");
    if reader.is_complete() {
        serde_json::from_str::<super::ChatCompletion>(&written).expect("and read again");
    }
}
