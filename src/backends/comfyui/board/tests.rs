use futures_util::FutureExt;

use super::*;
use crate::backends::{comfyui::workflow::Workflow, report::Nowhere};

fn board() -> Board {
    Board::new("c1".to_owned(), Channel::Live)
}

fn watch(audience: Audience) -> Watch {
    Watch::new("p", &Workflow::parse(r#"{"1":{}}"#).unwrap(), audience)
}

fn status(remaining: u32) -> Frame {
    Frame::Status { remaining, sid: None }
}

fn is_deaf(board: &Board) -> bool {
    board.deaf.notified().now_or_never().is_some()
}

#[test]
fn a_queue_that_changed_twice_without_a_word_shows_a_deaf_socket() {
    let board = board();
    assert_eq!(board.dispatch(&status(0)), Some(Queue { running: 0, pending: 0 }));
    board.compare(0);
    board.compare(3);
    assert!(!is_deaf(&board), "once may be a race");
    board.dispatch(&status(3));
    board.compare(3);
    board.compare(1);
    board.dispatch(&status(2));
    board.compare(1);
    assert!(!is_deaf(&board), "it does say something");
    board.compare(1);
    assert!(is_deaf(&board));
}

#[test]
fn a_frame_without_a_job_goes_to_the_one_that_runs() {
    let board = board();
    let a = board.post("a", watch(Audience::Ours), Arc::new(Nowhere));
    let b = board.post("b", watch(Audience::Ours), Arc::new(Nowhere));
    let preview = Frame::Preview { prompt: None, node: None, image: bytes::Bytes::new() };
    let frames = |post: &Post<'_>| post.watcher.with(|w| w.frames());
    board.dispatch(&preview);
    assert_eq!((frames(&a), frames(&b)), (0, 0), "it could be either");
    board.dispatch(&Frame::Start { prompt: "b".to_owned() });
    board.dispatch(&preview);
    assert_eq!((frames(&a), frames(&b)), (0, 2));
    drop(b);
    board.dispatch(&Frame::Executing { prompt: Some("b".to_owned()), node: None });
    // As on a reconnect: the node that runs, without the job.
    board.dispatch(&Frame::Executing { prompt: None, node: Some("1".to_owned()) });
    assert_eq!(frames(&a), 1);
}

#[test]
fn under_a_new_id_the_old_jobs_are_silent() {
    let board = board();
    let post = board.post("a", watch(Audience::Ours), Arc::new(Nowhere));
    board.new_client("c2".to_owned());
    assert_eq!(post.watcher.with(|w| w.audience()), Audience::Elsewhere);
    assert_eq!(board.client(), "c2");
}
