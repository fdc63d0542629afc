use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{connection::backoff::Pacing, model::Code};

/// A session that cannot be copied or dropped unseen: the machine has to hand it back.
#[derive(Debug, PartialEq)]
struct Session(u64);

fn memory() -> Memory {
    Memory::new(Epoch::ZERO, Pacing::Loopback, Patience::default(), 1)
}

fn refused() -> Fault {
    Fault::new(Code::ConnectionRefused, "nothing is listening")
}

fn ready(memory: &mut Memory, now: Instant) -> Machine<Session> {
    let (machine, effects) = Machine::new().step(memory, Event::Start, now);
    let [Effect::Dial(epoch)] = effects[..] else { panic!("no dial: {effects:?}") };
    let (machine, effects) = machine.step(memory, Event::Dialed { epoch, result: Ok(Session(1)) }, now);
    assert_eq!(effects, [Effect::Admit]);
    machine
}

fn silent(
    machine: Machine<Session>,
    memory: &mut Memory,
    load: Load,
    now: Instant,
) -> (Machine<Session>, Vec<Effect<Session>>) {
    let epoch = machine.epoch().unwrap();
    let vital = Vital::Silent(Witness::Link, Fault::new(Code::Hang, "no pong"));
    machine.step(memory, Event::Vitals { epoch, vital, load }, now)
}

#[test]
fn a_refused_dial_waits_and_tries_again_with_a_new_epoch() {
    let (mut memory, now) = (memory(), Instant::now());
    let (machine, _) = Machine::<Session>::new().step(&mut memory, Event::Start, now);
    let epoch = machine.epoch().unwrap();
    let (machine, _) = machine.step(&mut memory, Event::Dialed { epoch, result: Err(refused()) }, now);
    assert_eq!(machine.phase(), Phase::Waiting);
    assert_eq!(machine.fault().unwrap().code(), Code::ConnectionRefused);
    let at = machine.next_attempt().unwrap();
    assert!(at - now <= Duration::from_millis(100));
    let (machine, effects) = machine.step(&mut memory, Event::Tick, at);
    assert_eq!(effects, [Effect::Dial(epoch.next())]);
    assert_eq!((machine.phase(), memory.attempts), (Phase::Dialing, 2));
}

#[test]
fn a_wrong_key_parks_and_is_checked_again_slowly_under_the_same_name() {
    let (mut memory, mut now) = (memory(), Instant::now());
    let (mut machine, _) = Machine::<Session>::new().step(&mut memory, Event::Start, now);
    let mut waits = Vec::new();
    for _ in 0..7 {
        let result = Err(Fault::new(Code::AuthWrong, "refused"));
        let epoch = machine.epoch().unwrap();
        (machine, _) = machine.step(&mut memory, Event::Dialed { epoch, result }, now);
        assert_eq!(machine.phase(), Phase::Parked);
        let at = machine.next_attempt().unwrap();
        waits.push((at - now).as_secs());
        now = at;
        (machine, _) = machine.step(&mut memory, Event::Tick, now);
        assert_eq!(machine.phase(), Phase::Parked, "a re-check does not flicker");
    }
    assert_eq!(waits, [30, 60, 120, 240, 480, 600, 600]);
}

#[test]
fn idle_silence_ends_the_session() {
    let (mut memory, now) = (memory(), Instant::now());
    let machine = ready(&mut memory, now);
    let (machine, effects) = silent(machine, &mut memory, Load::Idle, now);
    assert!(
        matches!(effects[..], [Effect::Retire { session: Session(1), .. }, Effect::HangUp]),
        "{effects:?}"
    );
    assert_eq!(machine.phase(), Phase::Waiting);
}

#[test]
fn with_a_job_in_flight_slow_is_not_dead_until_the_hang_limit() {
    let (mut memory, now) = (memory(), Instant::now());
    let machine = ready(&mut memory, now);
    let epoch = machine.epoch();
    let (mut machine, effects) = silent(machine, &mut memory, Load::Working, now);
    assert!(matches!(effects[..], [Effect::Bar(_)]), "new work is stopped: {effects:?}");
    for second in 1..120 {
        let effects;
        (machine, effects) = silent(machine, &mut memory, Load::Working, now + Duration::from_secs(second));
        assert!(effects.is_empty());
        assert_eq!((machine.epoch(), machine.health()), (epoch, Health::Unhealthy));
    }
    let (machine, effects) = machine.step(&mut memory, Event::Tick, now + Duration::from_secs(120));
    assert!(matches!(effects[..], [Effect::Retire { .. }, Effect::HangUp]));
    assert_eq!(machine.phase(), Phase::Waiting);
}

#[test]
fn a_session_that_answers_again_takes_work_again() {
    let (mut memory, now) = (memory(), Instant::now());
    let machine = ready(&mut memory, now);
    let epoch = machine.epoch().unwrap();
    let (machine, _) = silent(machine, &mut memory, Load::Working, now);
    let wrong = Event::Vitals { epoch, vital: Vital::Heard(Witness::Probe), load: Load::Working };
    let (machine, effects) = machine.step(&mut memory, wrong, now);
    assert!(effects.is_empty(), "a probe's answer says nothing of the link's silence");
    let right = Event::Vitals { epoch, vital: Vital::Heard(Witness::Link), load: Load::Working };
    let (machine, effects) = machine.step(&mut memory, right, now);
    assert_eq!((effects, machine.health()), (vec![Effect::Admit], Health::Healthy));
}

#[test]
fn the_backoff_forgets_only_after_the_session_has_held() {
    let (mut memory, mut now) =
        (Memory::new(Epoch::ZERO, Pacing::Network, Patience::default(), 3), Instant::now());
    let mut longest = Duration::ZERO;
    let (mut machine, _) = Machine::new().step(&mut memory, Event::Start, now);
    for _ in 0..60 {
        let epoch = machine.epoch().unwrap();
        (machine, _) = machine.step(&mut memory, Event::Dialed { epoch, result: Ok(Session(0)) }, now);
        now += Duration::from_secs(3);
        let event = Event::Vitals { epoch, vital: Vital::Lost(refused()), load: Load::Idle };
        (machine, _) = machine.step(&mut memory, event, now);
        let at = machine.next_attempt().unwrap();
        longest = longest.max(at - now);
        now = at;
        (machine, _) = machine.step(&mut memory, Event::Tick, now);
    }
    assert!(longest > Duration::from_secs(20), "flapping stayed cheap: {longest:?}");
    let epoch = machine.epoch().unwrap();
    (machine, _) = machine.step(&mut memory, Event::Dialed { epoch, result: Ok(Session(0)) }, now);
    now = machine.deadline().unwrap();
    (machine, _) = machine.step(&mut memory, Event::Tick, now);
    let event = Event::Vitals { epoch, vital: Vital::Lost(refused()), load: Load::Idle };
    (machine, _) = machine.step(&mut memory, event, now);
    assert!(machine.next_attempt().unwrap() - now <= Duration::from_millis(100));
}

#[test]
fn a_pause_drains_first_and_a_resume_dials() {
    let (mut memory, now) = (memory(), Instant::now());
    let machine = ready(&mut memory, now);
    let epoch = machine.epoch().unwrap();
    let deadline = now + Duration::from_secs(5);
    let (machine, effects) = machine.step(&mut memory, Event::Command(Command::Pause { deadline }), now);
    assert_eq!((machine.phase(), effects.len()), (Phase::Draining, 1));
    let (machine, effects) = machine.step(&mut memory, Event::Drained { epoch }, now);
    assert_eq!(machine.phase(), Phase::Paused);
    assert!(matches!(effects[..], [Effect::Retire { .. }, Effect::HangUp]));
    let (machine, _) = machine.step(&mut memory, Event::Command(Command::Resume), now);
    assert_eq!(machine.phase(), Phase::Dialing);
}

/// An event of a random history, before it knows the machine's epoch.
#[derive(Debug, Clone)]
enum Step {
    Start,
    Dialed { stale: bool, ok: bool, park: bool },
    Vital { stale: bool, kind: u8, working: bool },
    Drained { stale: bool },
    Tick { early: bool },
    Command(u8),
    Pass(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Start),
        (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(s, ok, park)| Step::Dialed {
            stale: s && ok,
            ok,
            park
        }),
        (prop::bool::weighted(0.2), 0u8..5, any::<bool>()).prop_map(|(stale, kind, working)| Step::Vital {
            stale,
            kind,
            working
        }),
        prop::bool::weighted(0.2).prop_map(|stale| Step::Drained { stale }),
        prop::bool::weighted(0.2).prop_map(|early| Step::Tick { early }),
        (0u8..5).prop_map(Step::Command),
        any::<u16>().prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn whatever_happens_no_session_is_lost_and_no_timer_is_forgotten(steps in prop::collection::vec(step(), 1..120), seed: u64) {
        let mut memory = Memory::new(Epoch::new(7), Pacing::Network, Patience::default(), seed);
        let mut machine = Machine::<Session>::new();
        let (mut now, mut given, mut retired, mut open) = (Instant::now(), 0u64, 0u64, false);
        let mut last_epoch = memory.epoch;
        for step in steps {
            let current = machine.epoch().unwrap_or_default();
            let of = |stale: bool| if stale { Epoch::new(current.get().wrapping_sub(1)) } else { current };
            let before = (machine.phase(), machine.epoch());
            let mut stale_event = false;
            let event = match step {
                Step::Pass(ms) => { now += Duration::from_millis(u64::from(ms)); continue }
                Step::Start => Event::Start,
                Step::Dialed { stale, ok, park } => {
                    stale_event = stale;
                    let fault = if park { Fault::new(Code::WrongProgram, "x") } else { refused() };
                    let result = if ok { given += 1; Ok(Session(given)) } else { Err(fault) };
                    Event::Dialed { epoch: of(stale), result }
                }
                Step::Vital { stale, kind, working } => {
                    stale_event = stale;
                    let vital = match kind {
                        0 => Vital::Lost(refused()),
                        1 => Vital::Silent(Witness::Link, refused()),
                        2 => Vital::Silent(Witness::Probe, refused()),
                        3 => Vital::Heard(Witness::Link),
                        _ => Vital::Heard(Witness::Probe),
                    };
                    Event::Vitals { epoch: of(stale), vital, load: if working { Load::Working } else { Load::Idle } }
                }
                Step::Drained { stale } => { stale_event = stale; Event::Drained { epoch: of(stale) } }
                Step::Tick { early } => {
                    if let Some(at) = machine.deadline().filter(|_| !early) { now = now.max(at); }
                    Event::Tick
                }
                Step::Command(which) => Event::Command(match which {
                    0 => Command::Reconnect,
                    1 => Command::ForceReconnect,
                    2 => Command::Pause { deadline: now + Duration::from_secs(5) },
                    3 => Command::Resume,
                    _ => Command::Close { deadline: now + Duration::from_secs(5) },
                }),
            };
            let effects;
            (machine, effects) = machine.step(&mut memory, event, now);
            for effect in effects {
                match effect {
                    Effect::Retire { .. } => { retired += 1; open = false }
                    Effect::Admit => open = true,
                    Effect::Bar(_) => open = false,
                    Effect::Dial(epoch) => { prop_assert!(epoch > last_epoch, "an epoch came twice"); last_epoch = epoch }
                    Effect::HangUp | Effect::Stop => {}
                }
            }
            if stale_event {
                prop_assert_eq!(before, (machine.phase(), machine.epoch()), "a late event was heard");
            }
            let held = u64::from(machine.session().is_some());
            prop_assert_eq!(given, retired + held, "a session was dropped or doubled");
            prop_assert!(!open || machine.phase() == Phase::Ready, "the gate is open without a ready session");
            if matches!(machine.phase(), Phase::Waiting) || machine.next_attempt().is_some() {
                prop_assert!(machine.deadline().is_some(), "it waits for a time that nobody wakes it at");
            }
            if !matches!(machine.phase(), Phase::Ready | Phase::Dialing | Phase::Idle | Phase::Draining) {
                prop_assert!(machine.fault().is_some(), "a phase without its cause");
            }
        }
    }
}
