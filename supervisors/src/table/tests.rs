mod histories;

use super::*;
use crate::{NodeState, OnIntensity, Restart, RestartDelay};

fn policy() -> Policy {
    Policy {
        restart: Restart::Permanent,
        on_intensity: OnIntensity::Escalate,
        delay: RestartDelay::NONE,
        shutdown: Duration::from_secs(5),
    }
}

fn failed() -> Exit {
    Exit::new(ExitKind::Failed, "boom")
}

/// A table with the children a, b, c, all running.
fn running(strategy: Strategy, intensity: Intensity, policy: Policy, now: Instant) -> Table {
    let mut table = Table::new(strategy, intensity, 1, 0);
    table.step(Input::Begin, now);
    for id in ["a", "b", "c"] {
        table.add(id.into(), policy, now).unwrap();
        table.step(Input::Started { id: id.into(), incarnation: 1 }, now);
    }
    assert!(table.children.iter().all(|c| c.node_state() == NodeState::Running));
    table
}

fn exit(table: &mut Table, id: &str, now: Instant) -> Vec<Output> {
    let incarnation = table.children[table.place(id).unwrap()].incarnation;
    table.step(Input::Exited { id: id.into(), incarnation, exit: failed() }, now)
}

fn stopped_well(table: &mut Table, id: &str, now: Instant) -> Vec<Output> {
    let incarnation = table.children[table.place(id).unwrap()].incarnation;
    table.step(Input::Exited { id: id.into(), incarnation, exit: Exit::new(ExitKind::Normal, "") }, now)
}

fn states(table: &Table) -> Vec<NodeState> {
    table.children.iter().map(Child::node_state).collect()
}

fn starts(outputs: &[Output]) -> Vec<String> {
    let name = |o: &Output| if let Output::Start { id, .. } = o { Some(id.to_string()) } else { None };
    outputs.iter().filter_map(name).collect()
}

#[test]
fn children_start_from_left_to_right_each_when_the_one_before_is_up() {
    let now = Instant::now();
    let mut table = Table::new(Strategy::RestForOne, Intensity::default(), 1, 0);
    for id in ["a", "b"] {
        table.add(id.into(), policy(), now).unwrap();
    }
    assert_eq!(starts(&table.step(Input::Begin, now)), ["a"]);
    assert_eq!(starts(&table.step(Input::Tick, now)), Vec::<String>::new());
    assert_eq!(starts(&table.step(Input::Started { id: "a".into(), incarnation: 1 }, now)), ["b"]);
}

#[test]
fn one_fault_counts_once_and_two_that_fail_together_restart_the_group_once() {
    let now = Instant::now();
    let mut table = running(Strategy::OneForAll, Intensity::new(1, Duration::from_secs(60)), policy(), now);
    let out = exit(&mut table, "a", now);
    assert!(out.contains(&Output::Stop { id: "c".into(), incarnation: 1 }), "{out:?}");
    exit(&mut table, "b", now);
    let out = exit(&mut table, "c", now);
    assert_eq!(starts(&out), ["a"], "with one restart allowed, a second count would have ended it: {out:?}");
}

#[test]
fn a_quarantined_child_is_tried_again_and_goes_back_at_once_when_it_relapses() {
    let mut now = Instant::now();
    let quarantined = Policy { on_intensity: OnIntensity::QUARANTINE, ..policy() };
    let mut table = running(Strategy::OneForOne, Intensity::default(), quarantined, now);
    for crash in 0..5 {
        let out = exit(&mut table, "b", now);
        assert_eq!(starts(&out), ["b"], "crash {crash}");
        table.step(Input::Started { id: "b".into(), incarnation: crash + 2 }, now);
    }
    exit(&mut table, "b", now);
    assert_eq!(table.children[1].node_state(), NodeState::Quarantined);
    assert_eq!(table.children[0].node_state(), NodeState::Running);
    for minutes in [10, 20, 40, 80, 160, 320, 360, 360] {
        let at = table.deadline().unwrap();
        assert_eq!(at - now, Duration::from_secs(minutes * 60));
        now = at;
        let out = table.step(Input::Tick, now);
        assert_eq!(starts(&out), ["b"]);
        let incarnation = table.children[1].incarnation;
        table.step(Input::Started { id: "b".into(), incarnation }, now);
        exit(&mut table, "b", now);
        assert_eq!(table.children[1].node_state(), NodeState::Quarantined);
    }
    assert_eq!(starts(&table.restart("b", now).unwrap()), ["b"], "a person lets it out");
}

#[test]
fn what_is_late_of_a_removed_child_does_not_meet_the_next_one_of_its_id() {
    let now = Instant::now();
    let mut table = Table::new(Strategy::OneForOne, Intensity::default(), 1, 0);
    table.step(Input::Begin, now);
    table.add("x".into(), policy(), now).unwrap();
    let out = table.remove("x", now).unwrap();
    assert!(out.contains(&Output::Abort { id: "x".into(), incarnation: 1 }), "{out:?}");
    let out = table.add("x".into(), policy(), now).unwrap();
    assert_eq!(out, [Output::Start { id: "x".into(), incarnation: 2 }]);
    let late = table.step(Input::Started { id: "x".into(), incarnation: 1 }, now);
    assert_eq!(late, [Output::Kill { id: "x".into(), incarnation: 1 }]);
    assert_eq!(table.step(Input::Exited { id: "x".into(), incarnation: 1, exit: failed() }, now), []);
    assert_eq!(states(&table), [NodeState::Starting]);
}

#[test]
fn a_transient_child_that_has_done_its_work_is_not_raised_with_its_group() {
    let now = Instant::now();
    let transient = Policy { restart: Restart::Transient, ..policy() };
    let mut table = running(Strategy::OneForAll, Intensity::default(), transient, now);
    exit(&mut table, "b", now);
    assert_eq!(states(&table), [NodeState::Running, NodeState::Down, NodeState::Stopping]);
    stopped_well(&mut table, "a", now);
    assert_eq!(states(&table)[0], NodeState::Ended, "it ended by itself while another was being stopped");
    assert_eq!(starts(&stopped_well(&mut table, "c", now)), ["b"]);
}

#[test]
fn a_restart_that_was_asked_for_does_not_outlive_a_shutdown() {
    let now = Instant::now();
    let mut table = running(Strategy::OneForOne, Intensity::default(), policy(), now);
    table.restart("c", now).unwrap();
    table.step(Input::Shutdown, now);
    assert_eq!(starts(&stopped_well(&mut table, "c", now)), Vec::<String>::new());
    assert_eq!(table.add("d".into(), policy(), now), Err(Refusal::Leaving));
    assert_eq!(table.release("a", now), Err(Refusal::Leaving));
}

#[test]
fn a_shutdown_calls_off_waits_and_starts_at_once() {
    let now = Instant::now();
    let delay = RestartDelay { base: Duration::from_secs(9), ..RestartDelay::default() };
    let mut table = running(Strategy::OneForOne, Intensity::default(), Policy { delay, ..policy() }, now);
    exit(&mut table, "a", now);
    table.step(Input::Started { id: "a".into(), incarnation: 2 }, now);
    exit(&mut table, "a", now);
    exit(&mut table, "b", now);
    assert_eq!(states(&table), [NodeState::Waiting, NodeState::Starting, NodeState::Running]);
    let out = table.step(Input::Shutdown, now);
    assert!(out.contains(&Output::Abort { id: "b".into(), incarnation: 2 }), "{out:?}");
    assert_eq!(states(&table), [NodeState::Down, NodeState::Down, NodeState::Stopping]);
    assert_eq!(table.deadline(), Some(now + Duration::from_secs(5)), "only the stop has a deadline");
}

#[test]
fn a_give_up_is_not_hidden_by_the_shutdown_that_follows() {
    let now = Instant::now();
    let mut table = running(Strategy::OneForOne, Intensity::new(0, Duration::from_secs(60)), policy(), now);
    exit(&mut table, "a", now);
    table.step(Input::Shutdown, now);
    stopped_well(&mut table, "c", now);
    let out = stopped_well(&mut table, "b", now);
    assert!(out.contains(&Output::GiveUp { id: "a".into(), exit: failed() }), "{out:?}");
}

#[test]
fn a_trial_that_held_clears_the_record() {
    let mut now = Instant::now();
    let (trial, trial_cap) = (Duration::from_secs(600), Duration::from_secs(6000));
    let intensity = Intensity::new(0, Duration::from_secs(30));
    let on_intensity = OnIntensity::Quarantine { intensity, trial, trial_cap };
    let mut table =
        running(Strategy::OneForOne, Intensity::default(), Policy { on_intensity, ..policy() }, now);
    for _ in 0..2 {
        exit(&mut table, "b", now);
        let at = table.deadline().unwrap();
        assert_eq!(at - now, trial, "the wait doubles only for a relapse");
        now = at;
        table.step(Input::Tick, now);
        let incarnation = table.children[1].incarnation;
        table.step(Input::Started { id: "b".into(), incarnation }, now);
        now += Duration::from_secs(31);
    }
}

#[test]
fn quarantine_without_a_wait_is_no_crash_loop() {
    let now = Instant::now();
    let on_intensity = OnIntensity::Quarantine {
        intensity: Intensity::new(0, Duration::from_secs(30)),
        trial: Duration::ZERO,
        trial_cap: Duration::ZERO,
    };
    let mut table =
        running(Strategy::OneForOne, Intensity::default(), Policy { on_intensity, ..policy() }, now);
    exit(&mut table, "b", now);
    assert_eq!(table.deadline(), Some(now + Duration::from_secs(1)));
}
