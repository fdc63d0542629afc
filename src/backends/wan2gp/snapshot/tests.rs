use super::*;
use crate::{
    backends::wan2gp::{recordings, rpc, tool},
    model::Code,
};

fn recorded(name: &str, id: u64) -> Snapshot {
    let body = recordings::body(name);
    tool::document(rpc::result(&body, id).unwrap()).unwrap()
}

/// The recorded question's id.
fn id(name: &str) -> u64 {
    let asked: serde_json::Value = serde_json::from_str(&recordings::asked(name)).unwrap();
    asked["id"].as_u64().unwrap()
}

fn made(done: bool, result: &str) -> Snapshot {
    serde_json::from_str(&format!(r#"{{"job_id":"a","done":{done},"events":[],"result":{result}}}"#)).unwrap()
}

#[test]
fn a_recorded_job_is_followed_from_its_start_to_its_file() {
    let mut told = Told::default();
    let begun = recorded("generate", id("generate"));
    assert!(matches!(begun.news(&mut told)[..], [Report::Started]));
    assert_eq!(begun.percent(), None);
    let running = recorded("get_job_running", id("get_job_running"));
    let steps: Vec<_> = running.news(&mut told).into_iter().map(step).collect();
    assert_eq!(steps, [16.0, 33.0, 50.0]);
    assert_eq!(running.percent(), Some(50.0));
    assert!(running.end("x").is_none());
    assert!(running.news(&mut told).is_empty(), "nothing is told twice");
    let done = recorded("get_job_done", id("get_job_done"));
    assert_eq!(done.news(&mut told).into_iter().map(step).collect::<Vec<_>>(), [100.0]);
    match done.end("x") {
        Some(End::Done(outcome)) => assert_eq!(outcome.generated_files, ["/outputs/clip_001.mp4"]),
        other => panic!("{other:?}"),
    }
}

fn step(report: Report) -> f64 {
    match report {
        Report::Progress(progress) => {
            assert_eq!(progress.node.as_deref(), Some("inference"));
            assert!(progress.message.unwrap().starts_with("Prompt 1/1 | Denoising "));
            progress.value
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cancelled_job_is_cancelled_and_no_failure() {
    let name = "get_job_cancelled";
    assert!(matches!(recorded(name, id(name)).end("x"), Some(End::Cancelled)));
    let asked = recorded("cancel", id("cancel"));
    assert!(asked.cancel_requested && asked.end("x").is_none());
}

#[test]
fn a_failure_is_told_in_the_servers_words() {
    let failed = made(
        true,
        r#"{"success":false,"errors":[{"message":"CUDA out of memory","stage":"generation"}],"generated_files":["/o/1.png"]}"#,
    );
    match failed.end("x") {
        Some(End::Failed(fault)) => {
            assert_eq!(fault.code(), Code::OutOfMemory);
            assert!(fault.detail().unwrap().contains("/o/1.png"), "{fault:?}");
        }
        other => panic!("{other:?}"),
    }
    assert!(
        matches!(made(true, r#"{"success":7}"#).end("x"), Some(End::Failed(f)) if f.code() == Code::Protocol)
    );
    assert!(made(true, "null").end("x").is_none(), "the result may lag behind the end");
}

#[test]
fn strange_events_are_passed_over() {
    let odd: Snapshot = serde_json::from_str(
        r#"{"job_id":"a","done":false,"result":null,"events":[
            {"kind":"progress","timestamp":1,"data":null},{"kind":"stream","timestamp":2,"data":{"text":"x"}},
            {"kind":"info","timestamp":3,"data":"\u001b[31mred"},{"kind":"new","timestamp":4}]}"#,
    )
    .unwrap();
    let news = odd.news(&mut Told::default());
    assert!(matches!(&news[..], [Report::Note(text)] if !text.contains('\u{1b}')), "{news:?}");
}

proptest::proptest! {
    /// Recordings cut short and with bytes changed: an error or another job, never a panic, never another question's
    /// answer.
    #[test]
    fn a_damaged_answer_is_never_a_panic(
        name in proptest::sample::select(vec!["generate", "get_job_running", "get_job_done", "get_job_unknown", "initialize"]),
        keep in 0usize..5_000,
        changes in proptest::collection::vec((0usize..5_000, proptest::num::u8::ANY), 0..4),
    ) {
        let mut body = recordings::body(name);
        body.truncate(keep);
        for (at, byte) in changes {
            if let Some(place) = body.get_mut(at) {
                *place = byte;
            }
        }
        for id in [1, 3, 5] {
            let Ok(result) = rpc::result(&body, id) else { continue };
            if let Ok(snapshot) = tool::document::<Snapshot>(result) {
                let _ = snapshot.news(&mut Told::default());
                let _ = (snapshot.percent(), snapshot.end("x").is_some());
            }
        }
        let _ = crate::backends::wan2gp::greeting::Greeting::read(http::StatusCode::OK, &body);
    }
}
