use std::time::Duration;

use super::*;

#[tokio::test]
async fn an_id_is_used_again_only_after_the_server_let_its_socket_go() {
    let memory = Memory::new();
    let first = memory.client();
    memory.parted(&first, Parting::Seen);
    assert_eq!(memory.client(), first);
    // This one was dropped without a word.
    let second = memory.client();
    assert_ne!(second, first);
    // What is late of an older socket changes nothing.
    memory.parted(&first, Parting::Seen);
    assert_ne!(memory.client(), second);
}

fn watched() -> Memory {
    let memory = Memory::new();
    memory.sending("p", "c");
    memory.arrived("p");
    memory
}

#[tokio::test(start_paused = true)]
async fn a_refusal_right_after_the_end_proves_a_death_that_was_watched() {
    for late in [false, true] {
        let memory = watched();
        memory.fell();
        // The word of the run may come before the next dial or after it.
        if !late {
            memory.watched_to_the_end("p", 0);
        }
        memory.refused();
        memory.refused();
        if late {
            memory.watched_to_the_end("p", 0);
        }
        memory.connected(Boot::Unknown);
        assert!(matches!(memory.fate("p"), Fate::Restarted { unfinished: true, .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_much_later_proves_a_restart_and_no_more() {
    let memory = watched();
    memory.fell();
    memory.watched_to_the_end("p", 0);
    tokio::time::advance(Duration::from_secs(10)).await;
    memory.refused();
    memory.connected(Boot::Unknown);
    assert!(matches!(memory.fate("p"), Fate::Restarted { unfinished: false, .. }));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_outlived_the_cut_may_have_finished_the_job_before_it_died() {
    let memory = watched();
    memory.fell();
    memory.watched_to_the_end("p", 0);
    memory.connected(Boot::Unknown);
    assert!(matches!(memory.fate("p"), Fate::Unknown));
    memory.fell();
    memory.refused();
    assert!(matches!(memory.fate("p"), Fate::Restarted { unfinished: false, .. }));
}

#[test]
fn what_never_arrived_at_the_same_server_is_told_from_what_is_gone() {
    let memory = Memory::new();
    memory.sending("p", "c");
    assert!(matches!(memory.fate("p"), Fate::NeverArrived));
    memory.arrived("p");
    assert!(matches!(memory.fate("p"), Fate::Unknown));
    assert!(memory.is_for("p", "c") && !memory.is_for("p", "d"));
    memory.forget("p");
    assert!(!memory.is_for("p", "c"));
}

#[test]
fn the_oldest_of_too_many_jobs_is_forgotten() {
    let memory = Memory::new();
    for n in 0..=JOBS_CAP {
        memory.sending(&n.to_string(), "c");
    }
    assert!(!memory.is_for("0", "c"));
    assert!(memory.is_for(&JOBS_CAP.to_string(), "c"));
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_is_gone_proves_a_death_that_nobody_saw_and_one_that_stands_disproves_a_refusal() {
    for (boot, refused) in [(Boot::Another, false), (Boot::Another, true), (Boot::Same, true)] {
        let memory = watched();
        memory.marked("m");
        memory.fell();
        memory.watched_to_the_end("p", 0);
        if refused {
            memory.refused();
        }
        memory.connected(boot);
        match boot {
            Boot::Another => {
                assert!(matches!(memory.fate("p"), Fate::Restarted { unfinished: true, .. }), "{refused}");
                assert!(memory.is_past("p"), "nothing of a dead start turns up again");
                assert_eq!(memory.mark(), None, "the next job marks the new start");
            }
            _ => {
                assert!(matches!(memory.fate("p"), Fate::Unknown));
                assert_eq!(memory.mark().as_deref(), Some("m"));
            }
        }
    }
}

#[test]
fn an_end_that_was_heard_outweighs_the_death_after_it() {
    let memory = watched();
    memory.heard_end("p", Ending::Success, Vec::new());
    memory.refused();
    memory.connected(Boot::Unknown);
    assert!(matches!(memory.fate("p"), Fate::Ended(Ending::Success, _)));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_tells_of_its_end_after_the_next_session_began_is_believed() {
    for (boot, unfinished) in [(Boot::Another, true), (Boot::Unknown, false)] {
        let memory = watched();
        memory.marked("m");
        memory.fell();
        memory.connected(boot);
        memory.watched_to_the_end("p", 0);
        let died = matches!(memory.fate("p"), Fate::Restarted { unfinished: true, .. });
        assert_eq!(died, unfinished);
    }
}
