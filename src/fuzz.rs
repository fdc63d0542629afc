//! The door through which hostile bytes come in tests: each function reads what a server could send, and checks what
//! must hold of every reading. None may panic, and none may take long.

use bytes::Bytes;

use crate::net::sse::{SseDecoder, SseEvent};

/// Cap of an event here: low, so that the cap itself is met.
const CAP: usize = 4096;

/// A binary frame of ComfyUI's socket.
pub fn comfyui_frame(bytes: &[u8]) {
    use crate::backends::comfyui::frame::Frame;
    // Malformed is an answer, too.
    if let Ok(frame) = Frame::from_binary(Bytes::copy_from_slice(bytes)) {
        let _ = frame.prompt();
    }
}

/// A text of ComfyUI's socket.
pub fn comfyui_message(bytes: &[u8]) {
    use crate::backends::comfyui::frame::Frame;
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(frame) = Frame::from_text(text) {
        let _ = frame.prompt();
    }
}

/// An answer of ComfyUI, and a workflow.
pub fn comfyui_answer(bytes: &[u8]) {
    crate::backends::comfyui::read_hostile(bytes);
}

/// An answer of WanGP's MCP server.
pub fn wan2gp_answer(bytes: &[u8]) {
    crate::backends::wan2gp::read_hostile(bytes);
}

/// A stream of server-sent events: however it is cut, the same events come.
pub fn sse(bytes: &[u8]) {
    let whole = events(bytes, bytes.len().max(1));
    for size in [1, 7] {
        let cut = events(bytes, size);
        // Past the cap the stream is over; where that is noticed depends on the cut.
        if let (Ok(whole), Ok(cut)) = (&whole, &cut) {
            assert_eq!(whole, cut, "cut into pieces of {size}");
        }
    }
    for event in whole.unwrap_or_default() {
        assert!(event.data.len() <= CAP, "an event is over the cap");
    }
}

fn events(bytes: &[u8], size: usize) -> Result<Vec<SseEvent>, crate::net::sse::EventTooLarge> {
    let mut decoder = SseDecoder::new(CAP);
    let mut events = Vec::new();
    for piece in bytes.chunks(size) {
        decoder.feed(piece);
        while let Some(event) = decoder.next_event()? {
            events.push(event);
        }
    }
    Ok(events)
}

/// A Gradio app's description of itself, and the messages of its streams.
pub fn gradio_config(bytes: &[u8]) {
    use crate::backends::gradio::{Functions, file, message::Message, page::Page, watch::Watch};
    if let Ok(page) = Page::read(bytes) {
        let functions = Functions::of(&page);
        for name in functions.names() {
            assert!(functions.find(&name).is_ok(), "a function that is shown is found");
        }
        let _ = page.wangp();
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut watch = Watch::new(None);
    for line in text.lines() {
        let _ = Message::read(line);
        let _ = watch.take(line);
        if let Ok(value) = serde_json::from_str(line) {
            for found in file::in_result(&value) {
                assert!(!found.locator.is_empty(), "a file without a place");
            }
        }
    }
}

/// A streamed chat, and every whole answer of an OpenAI-compatible server.
pub fn openai_stream(bytes: &[u8]) {
    crate::backends::litellm::read_hostile(bytes);
}

/// A door.
pub type Read = fn(&[u8]);

/// Every door, by the name of its target.
pub const DOORS: [(&str, Read); 7] = [
    ("comfyui_frame", comfyui_frame),
    ("comfyui_message", comfyui_message),
    ("comfyui_answer", comfyui_answer),
    ("wan2gp_answer", wan2gp_answer),
    ("sse", sse),
    ("gradio_config", gradio_config),
    ("openai_stream", openai_stream),
];

#[cfg(test)]
mod tests;
