use std::collections::HashMap;

use proptest::{
    prelude::{
        Just, ProptestConfig, TestCaseError, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
    },
    strategy::Strategy as _,
};

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

#[derive(Debug, Clone)]
enum Step {
    Start(usize),
    Exit(usize, bool),
    Stale(usize),
    Pass(u32),
    Tick,
    Remove(usize),
    Restart(usize),
    Add,
    Shutdown,
}

fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    prop_oneof![
        6 => (0usize..6).prop_map(Step::Start),
        5 => (0usize..6, any::<bool>()).prop_map(|(at, ok)| Step::Exit(at, ok)),
        1 => (0usize..6).prop_map(Step::Stale),
        3 => (0u32..20_000).prop_map(Step::Pass),
        6 => Just(Step::Tick),
        1 => (0usize..6).prop_map(Step::Remove),
        1 => (0usize..6).prop_map(Step::Restart),
        1 => Just(Step::Add),
        1 => Just(Step::Shutdown),
    ]
}

/// What the world outside sees: actors that the outputs started and nobody ended yet.
#[derive(Default)]
struct World {
    up: HashMap<String, u64>,
    order: Vec<String>,
    restarts: Vec<Instant>,
    gave_up: bool,
    stopped: bool,
}

impl World {
    fn apply(&mut self, outputs: &[Output], limit: Intensity, now: Instant) -> Result<(), TestCaseError> {
        for output in outputs {
            match output {
                Output::Start { id, incarnation } => {
                    prop_assert!(!self.gave_up && !self.stopped, "a start after the end");
                    prop_assert!(
                        self.up.insert(id.to_string(), *incarnation).is_none(),
                        "two of {id} at once"
                    );
                    if !self.order.contains(&id.to_string()) {
                        self.order.push(id.to_string());
                    }
                }
                Output::Abort { id, .. } => {
                    prop_assert!(self.up.remove(&**id).is_some(), "an abort of nothing");
                }
                Output::Stop { id, incarnation } => {
                    prop_assert_eq!(self.up.get(&**id), Some(incarnation), "a stop of another incarnation");
                }
                // Left behind, since it blocks its thread: for the table it is down.
                Output::Down { id, exit: Exit { kind: ExitKind::Abandoned, .. }, .. } => {
                    self.up.remove(&**id);
                }
                Output::Down { next: Next::Restart(at), .. } => {
                    prop_assert!(*at >= now && *at <= now + Duration::from_secs(1), "jitter over the cap");
                    self.restarts.push(now);
                    let recent = self.restarts.iter().filter(|t| now - **t <= limit.within).count();
                    prop_assert!(recent <= limit.restarts as usize, "more restarts than are allowed");
                }
                Output::GiveUp { .. } => {
                    prop_assert!(self.up.is_empty(), "gave up with children up");
                    self.gave_up = true;
                }
                Output::Stopped => {
                    prop_assert!(self.up.is_empty(), "stopped with children up");
                    self.stopped = true;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn whatever_happens_the_promises_hold(
        which in 0u8..3,
        kind in 0u8..3,
        seed: u64,
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let strategy = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne][which as usize];
        let restart = [Restart::Permanent, Restart::Transient, Restart::Temporary][kind as usize];
        let delay = RestartDelay { base: Duration::from_millis(100), cap: Duration::from_secs(1), calm: Duration::from_secs(30) };
        let policy = Policy { restart, delay, ..policy() };
        let limit = Intensity::new(3, Duration::from_secs(60));
        let mut table = Table::new(strategy, limit, seed, 0);
        let (mut world, mut now) = (World::default(), Instant::now());
        for id in ["a", "b", "c", "d"] {
            let out = table.add(id.into(), policy, now).unwrap();
            world.apply(&out, limit, now)?;
        }
        let out = table.step(Input::Begin, now);
        world.apply(&out, limit, now)?;
        for (turn, step) in steps.into_iter().enumerate() {
            let pick = |at: usize, table: &Table| table.children.get(at).map(|c| (c.id.clone(), c.incarnation));
            let out = match step {
                Step::Start(at) => match pick(at, &table) {
                    Some((id, incarnation)) if table.children[at].state == State::Starting =>
                        table.step(Input::Started { id, incarnation }, now),
                    _ => continue,
                },
                Step::Exit(at, ok) => match pick(at, &table) {
                    Some((id, incarnation)) if world.up.contains_key(&*id) => {
                        world.up.remove(&*id);
                        let exit = if ok { Exit::new(ExitKind::Normal, "") } else { failed() };
                        table.step(Input::Exited { id, incarnation, exit }, now)
                    }
                    _ => continue,
                },
                Step::Stale(at) => match pick(at, &table) {
                    Some((id, incarnation)) if incarnation > 0 => {
                        let out = table.step(Input::Exited { id, incarnation: incarnation - 1, exit: failed() }, now);
                        prop_assert!(!out.iter().any(|o| matches!(o, Output::Down { .. })), "a late event was heard");
                        out
                    }
                    _ => continue,
                },
                Step::Pass(ms) => { now += Duration::from_millis(u64::from(ms)); continue }
                Step::Tick => {
                    if let Some(at) = table.deadline() { now = now.max(at); }
                    table.step(Input::Tick, now)
                }
                Step::Remove(at) => match pick(at, &table) {
                    Some((id, _)) => table.remove(&id, now).unwrap(),
                    None => continue,
                },
                Step::Restart(at) => match pick(at, &table) {
                    Some((id, _)) => table.restart(&id, now).unwrap_or_default(),
                    None => continue,
                },
                Step::Add => match table.add(format!("x{turn}").into(), policy, now) {
                    Ok(out) => out,
                    Err(refusal) => { prop_assert_eq!(refusal, Refusal::Leaving); continue }
                },
                Step::Shutdown => table.step(Input::Shutdown, now),
            };
            world.apply(&out, limit, now)?;
        }
    }

    #[test]
    fn stopping_goes_from_right_to_left(seed: u64, crashes in prop::collection::vec(0usize..4, 0..3)) {
        let now = Instant::now();
        let mut table = Table::new(Strategy::OneForOne, Intensity::default(), seed, 0);
        let ids = ["a", "b", "c", "d"];
        table.step(Input::Begin, now);
        for id in ids { table.add(id.into(), policy(), now).unwrap(); }
        for id in ids { table.step(Input::Started { id: id.into(), incarnation: 1 }, now); }
        for at in crashes { exit(&mut table, ids[at], now); }
        let mut out = table.step(Input::Shutdown, now);
        let mut stopped = Vec::new();
        while !out.contains(&Output::Stopped) {
            let next = out.iter().find_map(|o| if let Output::Stop { id, .. } = o { Some(id.to_string()) } else { None });
            let Some(id) = next else { panic!("nobody is being stopped: {out:?}") };
            out = exit(&mut table, &id, now);
            stopped.push(id);
        }
        let mut sorted = stopped.clone();
        sorted.sort_by(|a, b| b.cmp(a));
        prop_assert_eq!(stopped, sorted);
    }
}
