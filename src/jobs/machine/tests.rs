mod history;
mod replay;

use super::*;
use crate::{
    backends::{Seen, Setback},
    model::{Kind, OutputFile},
};

pub(crate) const COMFY: Abilities = Abilities {
    can_choose_id: true,
    can_look_up: true,
    can_cancel_by_id: true,
    survives_disconnect: true,
    survives_backend_restart: false,
};
pub(crate) const CHAT: Abilities = Abilities {
    can_choose_id: false,
    can_look_up: false,
    can_cancel_by_id: false,
    survives_disconnect: false,
    survives_backend_restart: false,
};
const NOW: Duration = Duration::from_secs(1);

pub(crate) fn run(abilities: Abilities) -> Run {
    Run {
        remote: "11111111-1111-4111-8111-111111111111".to_owned(),
        named: None,
        backend: "a".parse().unwrap(),
        kind: Kind::Comfyui,
        origin: "http://127.0.0.1:8188".to_owned(),
        boot: None,
        abilities,
        watch: Watch::Whole,
        mark: Mark::None,
    }
}

fn fault(code: Code) -> Fault {
    Fault::new(code, "x")
}

pub(crate) fn file(name: &str) -> RemoteFile {
    RemoteFile {
        name: name.to_owned(),
        claimed_type: None,
        slot: format!("9/images/{name}"),
        locator: "{}".to_owned(),
    }
}

pub(crate) fn output(name: &str) -> OutputFile {
    OutputFile {
        name: name.to_owned(),
        media_type: "image/png".to_owned(),
        bytes: 1,
        sha256: "00".to_owned(),
        url: name.to_owned(),
    }
}

/// A job with these terms after these events, one second apart.
pub(crate) fn after(terms: Terms, events: impl IntoIterator<Item = Event>) -> (Machine, Vec<Effect>) {
    let mut turn = (Machine::accepted(terms), Vec::new());
    for event in events {
        turn = turn.0.step(event, NOW);
    }
    turn
}

fn bound(abilities: Abilities) -> Event {
    Event::Bound(Box::new(run(abilities)))
}

fn rerun(rerun: Rerun) -> Terms {
    Terms { rerun, ..Terms::default() }
}

fn gone(unfinished: bool) -> Event {
    Event::Stopped(Setback::Gone { evidence: fault(Code::ConnectionRefused), unfinished })
}

fn stopped(make: impl Fn(Fault) -> Setback, code: Code) -> Event {
    Event::Stopped(make(fault(code)))
}

#[test]
fn the_intent_is_written_down_before_anything_is_sent() {
    let (machine, effects) = after(Terms::default(), [bound(COMFY)]);
    assert!(matches!(&effects[..], [Effect::Record { .. }, Effect::Send]), "{effects:?}");
    assert!(matches!(machine.stage(), Stage::Intent(_)));
    assert_eq!(machine.tally().attempts, 1);
}

#[test]
fn a_lost_socket_is_followed_where_it_can_be_and_is_a_doubt_where_not() {
    let lost = || stopped(Setback::Adrift, Code::ConnectionReset);
    let (machine, effects) = after(Terms::default(), [bound(COMFY), Event::Arrived, lost()]);
    assert_eq!(machine.state(), JobState::Sent);
    assert!(matches!(&effects[..], [Effect::Find { backend: Some(_), .. }]), "{effects:?}");
    assert_eq!(after(Terms::default(), [bound(CHAT), lost()]).0.state(), JobState::Uncertain);
    assert_eq!(after(rerun(Rerun::Always), [bound(CHAT), lost()]).0.state(), JobState::Queued);
}

#[test]
fn what_dies_with_us_is_judged_before_and_the_rest_is_left_as_it_is() {
    let leave = |terms: &Terms, events: Vec<Event>| {
        let before = after(terms.clone(), events).0;
        let (machine, effects) = before.clone().step(Event::Leaving, NOW);
        assert_eq!(machine == before, effects.is_empty());
        machine
    };
    let gradio = Abilities { can_look_up: true, ..CHAT };
    let terms = Terms::default();
    for abilities in [CHAT, gradio] {
        let machine = leave(&terms, vec![bound(abilities), Event::Arrived, Event::Opening, Event::Started]);
        let Stage::Ended(end) = machine.stage() else { panic!("{machine:?}") };
        assert_eq!(end.state, JobState::Uncertain);
        assert!(end.fault.as_ref().unwrap().message().starts_with("Backline was stopped"));
    }
    // Its stream was not opened yet: the next start opens it.
    assert_eq!(leave(&terms, vec![bound(gradio), Event::Arrived]).state(), JobState::Sent);
    assert_eq!(leave(&terms, vec![bound(CHAT)]).state(), JobState::Uncertain);
    assert_eq!(leave(&terms, vec![bound(COMFY), Event::Started]).state(), JobState::Running);
    assert_eq!(leave(&terms, Vec::new()).state(), JobState::Queued);
    let again = leave(&rerun(Rerun::Always), vec![bound(CHAT), Event::Started]);
    let (_, effects) = again.clone().step(Event::Resumed, NOW);
    assert!(matches!(again.stage(), Stage::Binding { .. }), "{again:?}");
    assert!(matches!(&effects[..], [Effect::Find { backend: None, .. }]), "{effects:?}");
}

#[test]
fn what_was_never_sent_goes_out_again_and_what_was_lost_on_its_way_does_not() {
    let after_a = |setback: fn(Fault) -> Setback| {
        after(rerun(Rerun::Never), [bound(COMFY), stopped(setback, Code::ConnectionReset)]).0
    };
    let unsent = after_a(Setback::Unsent);
    assert_eq!((unsent.state(), unsent.tally().attempts), (JobState::Queued, 0));
    assert_eq!(after_a(Setback::Refused).state(), JobState::Lost);
    let wrong = after(rerun(Rerun::Never), [bound(COMFY), stopped(Setback::Unsent, Code::BadRequest)]).0;
    assert_eq!((wrong.state(), wrong.tally().attempts), (JobState::Failed, 0));
}

#[test]
fn an_execution_that_died_before_it_began_is_none() {
    let died = |events: Vec<Event>| {
        let machine = after(Terms::default(), events.into_iter().chain([gone(true)])).0;
        (machine.state(), machine.tally().attempts)
    };
    assert_eq!(died(vec![bound(COMFY), Event::Arrived]), (JobState::Queued, 0));
    assert_eq!(died(vec![bound(COMFY), Event::Arrived, Event::Started]), (JobState::Queued, 1));
    let mut machine = Machine::accepted(Terms { hold_after: None, ..Terms::default() });
    for _ in 0..REFUSALS {
        machine = machine.step(bound(COMFY), NOW).0.step(Event::Arrived, NOW).0.step(gone(true), NOW).0;
    }
    assert_eq!(machine.state(), JobState::Held, "it does not go on for ever");
}

#[test]
fn busy_waits_longer_each_time_and_wrong_fails() {
    let mut machine = Machine::accepted(rerun(Rerun::Never));
    let mut waits = Vec::new();
    for _ in 0..9 {
        machine = machine.step(bound(COMFY), NOW).0;
        machine = machine.step(stopped(Setback::Refused, Code::QueueFull), NOW).0;
        let Stage::Binding { not_before } = machine.stage() else { panic!("{machine:?}") };
        waits.push(*not_before - NOW);
        assert_eq!(machine.tally().attempts, 0);
    }
    assert!(waits.is_sorted() && waits[0] == Duration::from_millis(200), "{waits:?}");
    assert_eq!(waits[8], Duration::from_secs(10));
    let wrong = after(Terms::default(), [bound(COMFY), stopped(Setback::Refused, Code::InvalidWorkflow)]);
    assert_eq!(wrong.0.state(), JobState::Failed);
    let limited = fault(Code::RateLimited).with_retry_after(Duration::from_secs(60));
    let (machine, _) = after(Terms::default(), [bound(CHAT), Event::Stopped(Setback::Refused(limited))]);
    assert!(
        matches!(machine.stage(), Stage::Binding { not_before } if *not_before == Duration::from_secs(61))
    );
}

#[test]
fn a_death_is_judged_by_what_we_saw_and_what_was_agreed() {
    let cases = [
        (Rerun::IfProvenAbsent, true, JobState::Queued),
        (Rerun::IfProvenAbsent, false, JobState::Uncertain),
        (Rerun::Never, true, JobState::Lost),
        (Rerun::Never, false, JobState::Uncertain),
        (Rerun::Always, true, JobState::Queued),
        (Rerun::Always, false, JobState::Queued),
    ];
    for (policy, unfinished, state) in cases {
        let (machine, _) = after(rerun(policy), [bound(COMFY), Event::Started, gone(unfinished)]);
        assert_eq!(machine.state(), state, "{policy:?}, {unfinished}");
    }
    // While we were away it may have ended; seen under way since, it had not, and is watched again.
    for (again, state) in [(None, JobState::Uncertain), (Some(Event::Arrived), JobState::Queued)] {
        let events =
            [bound(COMFY), Event::Started, Event::Resumed].into_iter().chain(again).chain([gone(true)]);
        assert_eq!(after(Terms::default(), events).0.state(), state);
    }
}

#[test]
fn two_deaths_under_it_hold_a_job_unless_it_only_waited_or_holding_is_off() {
    let twice = |first: Event| [bound(COMFY), first, gone(true), bound(COMFY), Event::Started, gone(true)];
    assert_eq!(after(Terms::default(), twice(Event::Started)).0.state(), JobState::Held);
    assert_eq!(after(Terms::default(), twice(Event::Arrived)).0.state(), JobState::Queued);
    let never = Terms { hold_after: None, ..Terms::default() };
    let (machine, _) = after(never, twice(Event::Started));
    assert_eq!((machine.state(), machine.tally().attempts), (JobState::Queued, 2));
}

#[test]
fn a_chat_that_spoke_is_not_asked_again() {
    for doubt in [gone(true), stopped(Setback::Refused, Code::BackendError)] {
        let (machine, _) = after(Terms::default(), [bound(CHAT), Event::Spoke, doubt]);
        assert_eq!(machine.state(), JobState::Uncertain);
    }
}

#[test]
fn another_address_proves_nothing() {
    let there = Event::TakenUp { origin: "http://127.0.0.1:9999".to_owned() };
    let (machine, _) = after(Terms::default(), [bound(COMFY), Event::Arrived, there]);
    assert_eq!(machine.state(), JobState::Uncertain);
}

#[test]
fn what_was_lost_on_its_way_is_sent_again_unless_never() {
    let lost = || stopped(Setback::Refused, Code::ConnectionReset);
    assert_eq!(after(Terms::default(), [bound(COMFY), lost()]).0.state(), JobState::Queued);
    assert_eq!(after(rerun(Rerun::Never), [bound(COMFY), lost()]).0.state(), JobState::Lost);
}

#[test]
fn a_cancel_ends_what_waits_and_asks_the_backend_for_what_runs() {
    assert_eq!(after(Terms::default(), [Event::Cancel]).0.state(), JobState::Cancelled);
    let (machine, effects) = after(Terms::default(), [bound(COMFY), Event::Started, Event::Cancel]);
    assert!(matches!(&effects[..], [Effect::Record { .. }, Effect::CancelRemote]), "{effects:?}");
    assert!(machine.clone().step(Event::Cancel, NOW).1.is_empty(), "asked twice");
    let cases = [
        (Event::Stopped(Setback::Cancelled), JobState::Cancelled),
        (gone(true), JobState::Cancelled),
        (stopped(Setback::Refused, Code::ConnectionReset), JobState::Cancelled),
        (Event::Finished { files: Vec::new(), result: None }, JobState::Done),
    ];
    for (event, state) in cases {
        assert_eq!(machine.clone().step(event.clone(), NOW).0.state(), state, "{event:?}");
    }
    let taken_up = Event::TakenUp { origin: run(COMFY).origin };
    assert_eq!(machine.clone().step(taken_up, NOW).1, [Effect::Follow, Effect::CancelRemote]);
    let due = machine.due().unwrap();
    assert!(machine.clone().step(Event::Tick, due - Duration::from_nanos(1)).1.is_empty());
    assert_eq!(machine.step(Event::Tick, due).0.state(), JobState::Uncertain);
}

#[test]
fn a_time_to_live_ends_what_waits_and_a_deadline_all_the_rest() {
    let terms = || Terms { ttl: Some(NOW), deadline: Some(NOW * 3), ..Terms::default() };
    let waiting = Machine::accepted(terms());
    assert_eq!(waiting.due(), Some(NOW));
    let Stage::Ended(end) = waiting.step(Event::Tick, NOW).0.stage.clone() else { panic!("not ended") };
    assert_eq!(end.fault.unwrap().code(), Code::Expired);
    let (running, _) = after(terms(), [bound(COMFY), Event::Started]);
    assert_eq!(running.due(), Some(NOW * 3));
    let (asked, effects) = running.step(Event::Tick, NOW * 3);
    assert!(effects.contains(&Effect::CancelRemote), "{effects:?}");
    let Stage::Ended(end) = asked.step(Event::Stopped(Setback::Cancelled), NOW * 4).0.stage else {
        panic!("not ended")
    };
    assert_eq!((end.state, end.fault.unwrap().code()), (JobState::Failed, Code::JobTimeout));
}

#[test]
fn files_are_fetched_once_each_and_then_it_is_done() {
    let terms = Terms { files: Files::Fetch, ..Terms::default() };
    let finished = Event::Finished { files: vec![file("a"), file("b")], result: Some("{}".to_owned()) };
    let fetched = |index| Event::Fetched { index, output: output("0.png") };
    let (machine, effects) = after(terms, [bound(COMFY), finished]);
    assert_eq!(effects.last(), Some(&Effect::Fetch));
    let machine = machine.step(fetched(1), NOW).0;
    assert!(
        machine.clone().step(fetched(1), NOW).1.is_empty()
            && machine.clone().step(fetched(2), NOW).1.is_empty()
    );
    // What is here stays here when the rest does not come.
    let Stage::Ended(end) = machine.clone().step(Event::Unfetched(fault(Code::NotFound)), NOW).0.stage else {
        panic!("not ended")
    };
    assert_eq!((end.state, end.outputs.len()), (JobState::Lost, 1));
    let full = machine.clone().step(Event::Unfetched(fault(Code::Disk)), NOW).0;
    assert_eq!(full.state(), JobState::Failed, "the backend has it still");
    // Away is no verdict: it is fetched when the backend is back.
    let (waiting, effects) = machine.clone().step(stopped(Setback::Adrift, Code::ConnectionRefused), NOW);
    assert!(matches!(&effects[..], [Effect::Find { backend: Some(_), .. }]), "{effects:?}");
    assert_eq!(waiting.step(Event::TakenUp { origin: run(COMFY).origin }, NOW).1, [Effect::Fetch]);
    let Stage::Ended(end) = machine.step(fetched(0), NOW).0.stage else { panic!("not ended") };
    assert_eq!((end.state, end.outputs.len(), end.result.as_deref()), (JobState::Done, 2, Some("{}")));
}

#[test]
fn a_retry_begins_anew_and_done_is_done() {
    let held = [bound(COMFY), Event::Crashed(fault(Code::Internal))];
    let (machine, _) = after(Terms { ttl: Some(NOW), ..Terms::default() }, held);
    assert_eq!(machine.state(), JobState::Held);
    let (machine, effects) = machine.step(Event::Retry, NOW * 9);
    assert!(matches!(&effects[..], [Effect::Record { .. }, Effect::Find { backend: None, .. }]));
    assert_eq!((machine.due(), machine.tally().attempts), (Some(NOW * 10), 1));
    let done = [bound(COMFY), Event::Finished { files: Vec::new(), result: None }];
    assert!(after(Terms::default(), done).0.step(Event::Retry, NOW).1.is_empty());
}

#[test]
fn how_far_it_had_come_is_told_to_whoever_takes_it_up() {
    let cases = [
        (vec![], Seen::Nothing),
        (vec![Event::Arrived], Seen::Arrived),
        (vec![Event::Started], Seen::Arrived),
        (vec![Event::Opening], Seen::Opened),
        (vec![Event::Arrived, Event::Opening, Event::Started, Event::Resumed], Seen::Opened),
    ];
    for (events, seen) in cases {
        let said = format!("{events:?}");
        let (machine, _) = after(Terms::default(), [bound(COMFY)].into_iter().chain(events));
        assert_eq!(machine.stage().seen(), seen, "{said}");
    }
}

#[test]
fn promises_follow_from_what_the_kind_can_do() {
    assert_eq!(guarantee(COMFY, Rerun::Never), Guarantee::EffectivelyOnce);
    assert_eq!(guarantee(CHAT, Rerun::IfProvenAbsent), Guarantee::AtMostOnce);
    assert_eq!(guarantee(COMFY, Rerun::Always), Guarantee::AtLeastOnce);
}
