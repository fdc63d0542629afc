//! Random histories: whatever happens, the promises hold.

use std::collections::HashMap;

use proptest::{
    prelude::{Just, ProptestConfig, TestCaseError, prop, prop_assert, prop_assert_eq, prop_oneof, proptest},
    strategy::Strategy as _,
};

use super::*;

const CAP: Duration = Duration::from_secs(1);
const LIMIT: Intensity = Intensity::new(3, Duration::from_secs(60));
const OWN_LIMIT: Intensity = Intensity::new(2, Duration::from_secs(30));

#[derive(Debug, Clone)]
enum Step {
    Start(usize),
    Exit(usize, ExitKind),
    Stale(usize),
    Pass(u32),
    Tick,
    Remove(usize),
    Restart(usize),
    Release(usize),
    Add(Policy),
}

fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    let at = 0usize..6;
    let kind = prop_oneof![Just(ExitKind::Normal), Just(ExitKind::Failed), Just(ExitKind::Killed)];
    prop_oneof![
        8 => at.clone().prop_map(Step::Start),
        6 => (at.clone(), kind).prop_map(|(at, kind)| Step::Exit(at, kind)),
        2 => at.clone().prop_map(Step::Stale),
        3 => (0u32..20_000).prop_map(Step::Pass),
        6 => Just(Step::Tick),
        1 => at.clone().prop_map(Step::Remove),
        1 => at.clone().prop_map(Step::Restart),
        1 => at.prop_map(Step::Release),
        1 => any_policy().prop_map(Step::Add),
    ]
}

fn any_policy() -> impl proptest::strategy::Strategy<Value = Policy> {
    let restart = prop_oneof![Just(Restart::Permanent), Just(Restart::Transient), Just(Restart::Temporary)];
    let second = Duration::from_secs(1);
    let quarantine =
        OnIntensity::Quarantine { intensity: OWN_LIMIT, trial: 20 * second, trial_cap: 60 * second };
    let on_intensity = prop_oneof![Just(OnIntensity::Escalate), Just(quarantine)];
    (restart, on_intensity).prop_map(|(restart, on_intensity)| {
        let delay = RestartDelay { base: CAP / 8, cap: CAP, calm: Duration::from_secs(30) };
        Policy { restart, on_intensity, delay, ..policy() }
    })
}

/// What the world outside sees: actors that the outputs started and nobody ended yet.
#[derive(Default)]
struct World {
    up: HashMap<String, u64>,
    highest: HashMap<String, u64>,
    stops: Vec<String>,
    shared: Vec<Instant>,
    own: HashMap<String, Vec<Instant>>,
    over: Option<Output>,
}

impl World {
    fn apply(&mut self, outputs: &[Output], table: &Table, now: Instant) -> Result<(), TestCaseError> {
        for output in outputs {
            let forgets =
                matches!(output, Output::Removed { .. } | Output::Tell { kind: TreeEventKind::Removed, .. });
            prop_assert!(self.over.is_none() || forgets, "something after the end: {output:?}");
            match output {
                Output::Start { id, incarnation } => {
                    prop_assert!(!table.is_leaving(), "a start on the way out");
                    prop_assert!(
                        self.up.insert(id.to_string(), *incarnation).is_none(),
                        "two of {id} at once"
                    );
                    let before = self.highest.insert(id.to_string(), *incarnation);
                    prop_assert!(before < Some(*incarnation), "incarnation {incarnation} of {id} again");
                }
                Output::Abort { id, .. } => {
                    prop_assert!(self.up.remove(&**id).is_some(), "an abort of nothing");
                }
                Output::Stop { id, incarnation } => {
                    prop_assert_eq!(self.up.get(&**id), Some(incarnation), "a stop of another incarnation");
                    self.stops.push(id.to_string());
                }
                // Left behind, since it blocks its thread: for the table it is down.
                Output::Down { id, exit: Exit { kind: ExitKind::Abandoned, .. }, .. } => {
                    self.up.remove(&**id);
                }
                Output::Down { id, next: Next::Restart(at), .. } => {
                    prop_assert!(*at >= now && *at <= now + CAP, "jitter over the cap");
                    self.count(id, table, now)?;
                }
                Output::Tell { id, kind: TreeEventKind::Released | TreeEventKind::Removed, .. } => {
                    self.own.remove(&**id);
                }
                Output::GiveUp { .. } | Output::Stopped => {
                    prop_assert!(self.up.is_empty(), "an end with children up: {:?}", self.up);
                    self.over = Some(output.clone());
                }
                _ => {}
            }
        }
        let up = table.children.iter().filter(|c| c.state.is_up()).map(|c| (c.id.to_string(), c.incarnation));
        prop_assert_eq!(&self.up, &up.collect(), "the table and the world differ");
        Ok(())
    }

    /// A restart after a crash: no more of them than are allowed.
    fn count(&mut self, id: &str, table: &Table, now: Instant) -> Result<(), TestCaseError> {
        let policy = &table.children[table.place(id).unwrap()].policy;
        let (times, limit) = match policy.on_intensity {
            OnIntensity::Escalate => (&mut self.shared, LIMIT),
            OnIntensity::Quarantine { intensity, .. } => {
                (self.own.entry(id.to_owned()).or_default(), intensity)
            }
        };
        times.push(now);
        let recent = times.iter().filter(|t| now - **t <= limit.within).count();
        prop_assert!(recent <= limit.restarts as usize, "{recent} restarts within {:?}", limit.within);
        Ok(())
    }

    /// Ends a child that is up, as the world would.
    fn end(&mut self, table: &mut Table, id: &Arc<str>, kind: ExitKind, now: Instant) -> Option<Vec<Output>> {
        let incarnation = self.up.remove(&**id)?;
        Some(table.step(Input::Exited { id: id.clone(), incarnation, exit: Exit::new(kind, "") }, now))
    }
}

/// Does what the step says; `None` where it says nothing here.
fn perform(
    step: Step,
    turn: usize,
    table: &mut Table,
    world: &mut World,
    now: &mut Instant,
) -> Option<Vec<Output>> {
    let pick = |at: usize| table.children.get(at).map(|c| (c.id.clone(), c.incarnation, c.state));
    match step {
        Step::Start(at) => match pick(at)? {
            (id, incarnation, State::Starting) => Some(table.step(Input::Started { id, incarnation }, *now)),
            _ => None,
        },
        Step::Exit(at, kind) => {
            let (id, ..) = pick(at)?;
            world.end(table, &id, kind, *now)
        }
        Step::Stale(at) => {
            let (id, incarnation, _) = pick(at)?;
            let (incarnation, before) = (incarnation.checked_sub(1)?, states(table));
            let out = table.step(Input::Exited { id, incarnation, exit: failed() }, *now);
            // Time may have brought something due; the late event itself must not be heard.
            assert!(
                !out.iter().any(|o| matches!(o, Output::Down { .. })),
                "a late event was heard: {out:?}, {before:?}"
            );
            Some(out)
        }
        Step::Pass(ms) => {
            *now += Duration::from_millis(u64::from(ms));
            None
        }
        Step::Tick => {
            *now = table.deadline().map_or(*now, |at| at.max(*now));
            Some(table.step(Input::Tick, *now))
        }
        Step::Remove(at) => table.remove(&pick(at)?.0, *now).ok(),
        Step::Restart(at) => table.restart(&pick(at)?.0, *now).ok(),
        Step::Release(at) => table.release(&pick(at)?.0, *now).ok(),
        Step::Add(policy) => table.add(format!("x{}", turn % 4).into(), policy, *now).ok(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn whatever_happens_the_promises_hold(
        strategy in prop_oneof![Just(Strategy::OneForOne), Just(Strategy::OneForAll), Just(Strategy::RestForOne)],
        policies in prop::collection::vec(any_policy(), 1..5),
        seed: u64,
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let mut table = Table::new(strategy, LIMIT, seed, 0);
        let (mut world, mut now) = (World::default(), Instant::now());
        for (at, policy) in policies.into_iter().enumerate() {
            table.add(format!("{at}").into(), policy, now).unwrap();
        }
        let out = table.step(Input::Begin, now);
        world.apply(&out, &table, now)?;
        for (turn, step) in steps.into_iter().enumerate() {
            let ticked = matches!(step, Step::Tick);
            let Some(out) = perform(step, turn, &mut table, &mut world, &mut now) else { continue };
            world.apply(&out, &table, now)?;
            if ticked {
                prop_assert!(table.deadline().is_none_or(|at| at > now), "a deadline that stays in the past");
            }
        }
        finish(&mut table, &mut world, now)?;
    }
}

/// However it stands: a shutdown comes to its end, from right to left, and nothing follows.
fn finish(table: &mut Table, world: &mut World, now: Instant) -> Result<(), TestCaseError> {
    let order: Vec<String> = table.children.iter().map(|c| c.id.to_string()).collect();
    world.stops.clear();
    let out = if world.over.is_none() { table.step(Input::Shutdown, now) } else { Vec::new() };
    world.apply(&out, table, now)?;
    for _ in 0..=order.len() {
        let down = |c: &&Child| c.state.is_up();
        let Some(id) = table.children.iter().rev().find(down).map(|c| c.id.clone()) else { break };
        let out = world.end(table, &id, ExitKind::Normal, now).unwrap();
        world.apply(&out, table, now)?;
    }
    prop_assert!(world.over.is_some(), "the shutdown did not end: {table:?}");
    let places = world.stops.iter().map(|id| order.iter().position(|o| o == id).unwrap());
    prop_assert!(places.rev().is_sorted(), "stopped {:?} of {order:?}", world.stops);
    for id in &order {
        prop_assert!(table.restart(id, now).is_err() && table.release(id, now).is_err());
    }
    let mut out = table.step(Input::Tick, now + Duration::from_secs(86_400));
    out.extend(table.step(Input::Shutdown, now));
    prop_assert_eq!(out, []);
    Ok(())
}
