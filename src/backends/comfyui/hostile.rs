//! Every reader of this folder on bytes that nobody vouches for, for the tests. The frames of the socket have doors of
//! their own.

use http::StatusCode;

use crate::backends::{
    RemoteFile,
    comfyui::{
        catalogue::Catalogue,
        history::{FileName, History, Verdict},
        identify::Stats,
        preflight::preflight,
        queue::Queue,
        refusal,
        workflow::Workflow,
    },
};

/// Reads bytes as each answer of a server, and as a workflow.
pub(crate) fn read_hostile(bytes: &[u8]) {
    let catalogue = Catalogue::parse(bytes);
    if let Ok(catalogue) = &catalogue {
        assert!(catalogue.is_empty() || catalogue.classes().next().is_some());
        let _ = catalogue.models().len();
    }
    if let Ok(queue) = serde_json::from_slice::<Queue>(bytes) {
        let _ = queue.place_of("x");
        let (running, pending) = queue.in_order();
        assert!(running.is_sorted_by(|a, b| a.number <= b.number));
        assert!(pending.is_sorted_by(|a, b| a.number <= b.number));
    }
    if let Ok(history) = serde_json::from_slice::<History>(bytes) {
        for (_, entry) in history {
            if let Verdict::Done(finished) = entry.verdict() {
                finished.files.iter().for_each(can_be_fetched);
            }
        }
    }
    let _ = Stats::read(StatusCode::OK, bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for status in [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::BAD_GATEWAY] {
        let _ = refusal::judge(status, text);
    }
    if let (Ok(workflow), Ok(catalogue)) = (Workflow::parse(text), catalogue) {
        let _ = preflight(&workflow, &catalogue);
    }
}

/// What is named is found again by its locator.
fn can_be_fetched(file: &RemoteFile) {
    serde_json::from_str::<FileName>(&file.locator).expect("a locator of our own can be read");
}
