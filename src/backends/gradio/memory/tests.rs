use super::*;

const A: &str = "boot-a";
const B: &str = "boot-b";

fn found(boot: &str) -> Dial {
    Dial::Found(boot.to_owned())
}

/// A call whose stream is open.
fn watched() -> Memory {
    let memory = Memory::default();
    memory.dialed(found(A));
    memory.sending("job", A, 3);
    memory.arrived("job", "event");
    memory.opening("job");
    memory
}

#[tokio::test(start_paused = true)]
async fn what_is_known_grows_with_the_call() {
    let memory = Memory::default();
    assert_eq!(memory.fate("job", A), Fate::Unknown);
    memory.sending("job", A, 3);
    assert_eq!(memory.fate("job", A), Fate::Doubtful);
    assert_eq!(memory.handle("job").unwrap().event, None);
    memory.opening("job");
    assert_eq!(memory.fate("job", A), Fate::Opened);
    // The app did not know the session: nothing was lost with that look.
    memory.unopened("job");
    assert_eq!(memory.fate("job", A), Fate::Doubtful);
    memory.arrived("job", "event");
    assert_eq!(memory.fate("job", A), Fate::Waiting);
    let handle = memory.handle("job").unwrap();
    assert_eq!(
        (handle.function, handle.event.as_deref(), handle.standing),
        (3, Some("event"), Standing::Queued)
    );
    memory.forget("job");
    assert_eq!(memory.fate("job", A), Fate::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_refused_dial_right_after_the_cut_proves_the_death() {
    let memory = watched();
    memory.cut("job");
    memory.dialed(Dial::Refused);
    memory.dialed(found(B));
    assert_eq!(memory.fate("job", B), Fate::Gone { unfinished: true });
}

#[tokio::test(start_paused = true)]
async fn a_new_boot_right_after_the_cut_proves_it_too() {
    let memory = watched();
    memory.cut("job");
    memory.dialed(found(B));
    assert_eq!(memory.fate("job", B), Fate::Gone { unfinished: true });
}

#[tokio::test(start_paused = true)]
async fn the_dial_may_be_answered_before_the_reader_wakes() {
    let memory = watched();
    memory.dialed(Dial::Refused);
    memory.cut("job");
    assert_eq!(memory.fate("job", B), Fate::Gone { unfinished: true });
}

#[tokio::test(start_paused = true)]
async fn an_app_that_lived_on_may_have_finished_it() {
    let memory = watched();
    memory.cut("job");
    memory.dialed(found(A));
    memory.dialed(Dial::Refused);
    assert_eq!(memory.fate("job", B), Fate::Gone { unfinished: false });
    assert_eq!(memory.fate("job", A), Fate::Opened);
}

#[tokio::test(start_paused = true)]
async fn a_late_or_an_unclear_dial_proves_nothing() {
    let memory = watched();
    memory.cut("job");
    tokio::time::advance(DEATH_WINDOW + Duration::from_millis(1)).await;
    memory.dialed(Dial::Refused);
    assert_eq!(memory.fate("job", B), Fate::Gone { unfinished: false });

    let memory = watched();
    memory.cut("job");
    memory.dialed(Dial::Unclear);
    memory.dialed(Dial::Refused);
    assert_eq!(memory.fate("job", B), Fate::Gone { unfinished: false });
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_watched_is_not_known_to_be_unfinished() {
    let memory = watched();
    memory.dialed(Dial::Refused);
    assert_eq!(memory.fate("job", B), Fate::Gone { unfinished: false });
}

#[tokio::test(start_paused = true)]
async fn the_memory_has_a_bound() {
    let memory = Memory::default();
    for number in 0..=CALLS_CAP {
        memory.sending(&number.to_string(), A, 0);
    }
    assert_eq!(memory.fate("0", A), Fate::Unknown);
    assert_eq!(memory.fate("1", A), Fate::Doubtful);
}
