use serde_json::json;

use super::*;
use crate::backends::gradio::{
    message::{Ending, Message, Said},
    recordings::{VERSIONS, stream},
};

#[test]
fn the_files_of_recorded_results_are_found_by_their_path() {
    for version in VERSIONS {
        let ended = stream(version, "generate_success").into_iter().find_map(|text| {
            match Message::read(&text).unwrap().said {
                Said::Completed(Ending::Done(data)) => Some(data),
                _ => None,
            }
        });
        let data: Value = serde_json::from_str(ended.unwrap().get()).unwrap();
        let files = in_result(&data);
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].slot, "0");
        assert!(files[0].locator.starts_with("/srv/gradio/") && files[0].locator.ends_with(&files[0].name));
    }
}

#[test]
fn files_are_found_wherever_they_stand() {
    let mark = json!({"_type": "gradio.FileData"});
    let data = json!([
        "text",
        [{"image": {"path": "/a/one.png", "meta": mark}, "caption": null}, {"image": {"path": "C:\\t\\two.png", "url": "http://elsewhere/", "mime_type": "image/png"}}],
        {"video": {"path": "/a/three.mp4", "orig_name": "clip.mp4", "meta": mark}, "subtitles": null},
        {"path": "/no/file/but/a/path"},
        {"path": "", "meta": mark},
    ]);
    let found: Vec<_> = in_result(&data).into_iter().map(|f| (f.slot, f.name, f.claimed_type)).collect();
    let expected = [
        ("1/0/image", "one.png", None),
        ("1/1/image", "two.png", Some("image/png".to_owned())),
        ("2/video", "clip.mp4", None),
    ];
    assert_eq!(found, expected.map(|(s, n, t)| (s.to_owned(), n.to_owned(), t)));
}

#[test]
fn a_file_to_send_has_the_mark_that_gradio_wants() {
    let file = FileData { orig_name: Some("a.png".to_owned()), ..FileData::new("/tmp/a.png") };
    let sent = json!({"path": "/tmp/a.png", "orig_name": "a.png", "meta": {"_type": "gradio.FileData"}});
    assert_eq!(serde_json::to_value(file).unwrap(), sent);
}
