//! Every reader of this folder on bytes that nobody vouches for, for the tests.

use http::StatusCode;

use crate::backends::wan2gp::{
    complaint,
    greeting::Greeting,
    models::{self, Model},
    rpc,
    snapshot::{End, Snapshot, Told},
    tool::{self, Trouble},
};

/// Ids of the questions that the recorded answers belong to.
const QUESTIONS: std::ops::Range<u64> = 0..10;

/// Reads bytes as each answer of the MCP server.
pub(crate) fn read_hostile(bytes: &[u8]) {
    let _ = Greeting::read(StatusCode::OK, bytes).map(|greeting| (greeting.is_wangp(), greeting.title()));
    let _ = rpc::refusal(bytes).map(|refusal| rpc::Unanswered::Refused(refusal).fault("h:1"));
    for id in QUESTIONS {
        let Ok(result) = rpc::result(bytes, id) else { continue };
        if let Ok(snapshot) = tool::document::<Snapshot>(result) {
            read_snapshot(&snapshot);
        }
        if let Ok(list) = tool::list::<Model>(result) {
            let _ = models::evidence(&list);
        }
        if let Err(Trouble::Complaint(words)) = tool::optional::<Snapshot>(result) {
            let _ = (complaint::refused("h:1", &words), complaint::failed("h:1", &words, Some("x")));
        }
    }
}

fn read_snapshot(snapshot: &Snapshot) {
    let mut told = Told::default();
    let first = snapshot.news(&mut told).len();
    let again = snapshot.news(&mut told).len();
    assert!(again <= first, "what was told is told again, and more");
    let _ = snapshot.percent();
    if let Some(End::Failed(fault)) = snapshot.end("h:1") {
        assert!(!fault.message().is_empty(), "a failure without a word");
    }
}
