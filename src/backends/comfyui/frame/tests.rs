use proptest::prelude::*;

use super::*;
use crate::backends::comfyui::recordings::{VERSIONS, scenario};

#[test]
fn every_recorded_frame_is_known() {
    let scenarios = [
        "ws_success",
        "ws_fail",
        "ws_interrupt",
        "ws_stock_nodes_success_then_cached",
        "ws_preview_meta",
        "ws_reconnect_same_id_after_clean_close",
        "ws_other_client_id_sees",
    ];
    for (version, name) in VERSIONS.iter().flat_map(|v| scenarios.map(|s| (v, s))) {
        let texts: Vec<_> = scenario(version, name).into_iter().filter_map(|l| l.text).collect();
        assert!(texts.len() > 5);
        for text in texts {
            let frame = Frame::from_text(text.get()).unwrap_or_else(|e| panic!("{version} {name}: {e}"));
            assert!(!matches!(frame, Frame::Unknown(_)), "{version} {name}: {frame:?}");
        }
    }
}

#[test]
fn both_forms_of_previews_and_a_text_are_read() {
    let old = Bytes::from_static(b"\0\0\0\x01\0\0\0\x01\xff\xd8\xff\xe0rest");
    let Ok(Frame::Preview { prompt: None, image, .. }) = Frame::from_binary(old) else {
        panic!("no preview")
    };
    assert_eq!(&image[..], b"\xff\xd8\xff\xe0rest");

    let meta = br#"{"node_id":"2","prompt_id":"p","image_type":"image/jpeg"}"#;
    let new = [&b"\0\0\0\x04"[..], &(meta.len() as u32).to_be_bytes(), meta, b"\xff\xd8"].concat();
    let Ok(Frame::Preview { prompt, node, image }) = Frame::from_binary(new.into()) else { panic!("none") };
    assert_eq!((prompt.as_deref(), node.as_deref(), &image[..]), (Some("p"), Some("2"), &b"\xff\xd8"[..]));

    // Recorded from 0.24.0.
    let text = Bytes::from_static(b"\0\0\0\x03\0\0\0\x013hello text");
    let Ok(Frame::Text { node, text }) = Frame::from_binary(text) else { panic!("no text") };
    assert_eq!((node.as_str(), text.as_str()), ("3", "hello text"));
}

#[test]
fn a_length_that_lies_is_no_frame_and_a_new_event_is_unknown() {
    assert!(Frame::from_binary(Bytes::from_static(b"\0\0\0\x04\xff\xff\xff\xff{}")).is_err());
    assert!(Frame::from_binary(Bytes::from_static(b"\0\0\0")).is_err());
    assert!(matches!(Frame::from_binary(Bytes::from_static(b"\0\0\0\x09x")), Ok(Frame::Unknown(_))));
    assert!(
        matches!(Frame::from_text(r#"{"type":"logs","data":[1]}"#), Ok(Frame::Unknown(k)) if k == "logs")
    );
    assert!(Frame::from_text("[]").is_err());
    assert!(Frame::from_text(&"[".repeat(1_000_000)).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(head in 0u32..6, bytes: Vec<u8>) {
        let _ = Frame::from_binary(Bytes::from(bytes.clone()));
        let _ = Frame::from_binary([&head.to_be_bytes()[..], &bytes].concat().into());
        let _ = Frame::from_text(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_fields_make_it_panic(kind in "status|executing|progress|progress_state|execution_error|executed", data in "[\\[\\]{}\":,a-z0-9]{0,40}") {
        let _ = Frame::from_text(&format!(r#"{{"type":"{kind}","data":{data}}}"#));
    }
}
