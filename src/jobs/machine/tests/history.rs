//! Random histories of a job, a backend that dies, a line that loses, and a process of ours that is killed.

use std::collections::VecDeque;

use proptest::{collection::vec, prelude::*};

use super::*;

/// What becomes of a request on its way.
#[derive(Debug, Clone, Copy)]
enum Line {
    Works,
    LosesRequest,
    LosesReply,
    Refuses,
}

#[derive(Debug, Clone)]
enum Op {
    /// Does the next effect that waits.
    Do(Line),
    BackendStarts,
    BackendEnds,
    BackendFails,
    BackendDies,
    SocketLost,
    WeDie,
    Cancel,
    Pass(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let line = prop_oneof![
        6 => Just(Line::Works), 1 => Just(Line::LosesRequest), 2 => Just(Line::LosesReply), 1 => Just(Line::Refuses)
    ];
    prop_oneof![
        12 => line.prop_map(Op::Do),
        4 => Just(Op::BackendStarts),
        3 => Just(Op::BackendEnds),
        1 => Just(Op::BackendFails),
        2 => Just(Op::BackendDies),
        2 => Just(Op::SocketLost),
        2 => Just(Op::WeDie),
        1 => Just(Op::Cancel),
        2 => (1u64..20).prop_map(Op::Pass),
    ]
}

/// One execution, as it truly is.
#[derive(Debug)]
struct Truth {
    remote: String,
    boot: u32,
    started: bool,
    end: Option<TrueEnd>,
    /// Whether our process was away since it was sent.
    gap: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum TrueEnd {
    Done,
    Failed,
    /// Finished, and then forgotten with the process.
    Died {
        finished: bool,
    },
    Cancelled,
}

struct World {
    machine: Machine,
    terms: Terms,
    abilities: Abilities,
    /// Effects that wait, each with its event and the age then.
    waiting: VecDeque<(Effect, Event, Duration)>,
    disk: Vec<(Event, Duration)>,
    runs: Vec<Truth>,
    /// Whether our session watches the current run.
    attached: bool,
    boot: u32,
    now: Duration,
    sent: u32,
    ends: u32,
}

impl World {
    fn new(terms: Terms, abilities: Abilities) -> Self {
        let machine = Machine::accepted(terms.clone());
        let mut world = Self {
            machine,
            terms,
            abilities,
            waiting: VecDeque::new(),
            disk: Vec::new(),
            runs: Vec::new(),
            attached: false,
            boot: 0,
            now: Duration::ZERO,
            sent: 0,
            ends: 0,
        };
        world.step(Event::Resumed);
        world
    }

    fn step(&mut self, event: Event) {
        let before = self.machine.stage().is_end();
        let (machine, effects) = self.machine.clone().step(event.clone(), self.now);
        if effects.is_empty() {
            assert_eq!(machine, self.machine, "{event:?} changed something and nobody was told");
        }
        let records = effects.iter().filter(|e| matches!(e, Effect::Record { .. })).count();
        assert!(records <= 1 && effects.iter().skip(1).all(|e| !matches!(e, Effect::Record { .. })));
        assert!(records == 1 || machine == self.machine, "{event:?} changed something off the record");
        assert!(!before || effects.is_empty(), "{event:?} after the end: {effects:?}");
        self.machine = machine;
        self.waiting.extend(effects.into_iter().map(|effect| (effect, event.clone(), self.now)));
    }

    /// What is on the disk leads to the machine that we had when it was written.
    fn replayed(&self) -> Machine {
        let mut machine = Machine::accepted(self.terms.clone());
        for (event, at) in &self.disk {
            machine = machine.step(event.clone(), *at).0;
        }
        machine
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Do(line) => self.do_next(line),
            Op::BackendStarts => self.backend(|run| {
                run.started = true;
                None
            }),
            Op::BackendEnds => self.backend(|run| run.started.then_some(TrueEnd::Done)),
            Op::BackendFails => self.backend(|run| run.started.then_some(TrueEnd::Failed)),
            Op::BackendDies => self.die(),
            Op::SocketLost if self.attached => {
                self.attached = false;
                self.step(Event::Stopped(Setback::Adrift(fault(Code::ConnectionReset))));
            }
            Op::SocketLost => {}
            Op::WeDie => {
                self.waiting.clear();
                self.attached = false;
                self.runs.iter_mut().filter(|r| r.end.is_none()).for_each(|r| r.gap = true);
                self.machine = self.replayed();
                if !self.machine.stage().is_end() {
                    // Whoever waited was told at most once in a life of ours.
                    self.step(Event::Resumed);
                }
            }
            Op::Cancel => self.step(Event::Cancel),
            Op::Pass(seconds) => {
                self.now += Duration::from_secs(seconds);
                self.step(Event::Tick);
            }
        }
    }

    fn backend(&mut self, change: impl Fn(&mut Truth) -> Option<TrueEnd>) {
        let Some(run) = self.runs.iter_mut().find(|r| r.end.is_none()) else { return };
        run.end = change(run);
        if self.attached {
            self.tell();
        }
    }

    fn die(&mut self) {
        for run in self.runs.iter_mut().filter(|r| r.boot == self.boot) {
            let finished = matches!(run.end, Some(TrueEnd::Done | TrueEnd::Failed));
            run.end = Some(TrueEnd::Died { finished });
        }
        self.boot += 1;
        if std::mem::take(&mut self.attached) {
            self.step(Event::Stopped(Setback::Adrift(fault(Code::ConnectionReset))));
        }
    }

    /// What an attached session says of the current run.
    fn tell(&mut self) {
        let Some(remote) = self.machine.stage().run().map(|r| r.remote.clone()) else { return };
        let Some(run) = self.runs.iter_mut().find(|r| r.remote == remote) else { return };
        // Seen under way it is watched from here on, whatever was missed before.
        run.gap &= run.end.is_some();
        let event = match run.end {
            None if run.started => Event::Started,
            None => Event::Arrived,
            Some(TrueEnd::Done) => Event::Finished { files: vec![file("a")], result: None },
            Some(TrueEnd::Failed) => Event::Stopped(Setback::Failed(fault(Code::ExecutionFailed))),
            Some(TrueEnd::Cancelled) => Event::Stopped(Setback::Cancelled),
            Some(TrueEnd::Died { .. }) => return,
        };
        self.attached = run.end.is_none();
        self.step(event);
    }

    fn do_next(&mut self, line: Line) {
        let Some((effect, event, at)) = self.waiting.pop_front() else { return };
        match effect {
            Effect::Record { .. } => {
                self.disk.push((event, at));
                if !self.waiting.iter().any(|(e, ..)| matches!(e, Effect::Record { .. })) {
                    assert_eq!(self.replayed(), self.machine);
                }
            }
            Effect::Find { backend: None, not_before } => {
                self.now = self.now.max(not_before);
                let remote = format!("run-{}", self.disk.len());
                self.step(Event::Bound(Box::new(Run { remote, ..run(self.abilities) })));
            }
            Effect::Find { backend: Some(_), .. } => self.step(Event::TakenUp { origin: run(COMFY).origin }),
            Effect::Send => self.send(line),
            Effect::Follow => self.follow(),
            Effect::CancelRemote => {
                let current = self.machine.stage().run().map(|r| r.remote.clone());
                if let Some(run) =
                    self.runs.iter_mut().find(|r| r.end.is_none() && Some(&r.remote) == current.as_ref())
                {
                    run.end = Some(TrueEnd::Cancelled);
                    if self.attached {
                        self.tell();
                    }
                }
            }
            Effect::Fetch => self.step(Event::Fetched { index: 0, output: output("0.png") }),
            Effect::End(state) => {
                assert_eq!(state, self.machine.state());
                self.ends += 1;
            }
        }
    }

    fn send(&mut self, line: Line) {
        let Some(run) = self.machine.stage().run().cloned() else { return };
        let intent = |e: &Event| matches!(e, Event::Bound(r) if r.remote == run.remote);
        assert!(self.disk.iter().any(|(e, _)| intent(e)), "sent before the intent was on the disk");
        assert!(self.runs.iter().all(|r| r.remote != run.remote), "sent twice under one id");
        if !matches!(line, Line::Refuses | Line::LosesRequest) {
            self.sent += 1;
            self.may_run();
            let (remote, boot) = (run.remote, self.boot);
            self.runs.push(Truth { remote, boot, started: false, end: None, gap: false });
        }
        match line {
            Line::Works => {
                self.attached = true;
                self.tell();
            }
            Line::Refuses => self.step(Event::Stopped(Setback::Refused(fault(Code::QueueFull)))),
            Line::LosesReply | Line::LosesRequest => {
                let doubt = fault(Code::ConnectionReset);
                let setback = if self.abilities.can_look_up {
                    Setback::Adrift(doubt)
                } else {
                    Setback::Uncertain(doubt)
                };
                self.step(Event::Stopped(setback));
            }
        }
    }

    /// A new execution begins: what came before allows it, or the caller did.
    fn may_run(&self) {
        match self.terms.rerun {
            Rerun::Always => {}
            Rerun::Never => assert!(self.runs.is_empty(), "ran again: {:?}", self.runs),
            Rerun::IfProvenAbsent => {
                let dead = |r: &Truth| r.end == Some(TrueEnd::Died { finished: false });
                assert!(self.runs.iter().all(dead), "ran again: {:?}", self.runs);
            }
        }
    }

    /// An honest kind: it knows this start of the backend, and what it watched.
    fn follow(&mut self) {
        let Some(run) = self.machine.stage().run().cloned() else { return };
        let Some(truth) = self.runs.iter().find(|r| r.remote == run.remote) else {
            return self.step(Event::Stopped(Setback::Refused(fault(Code::ConnectionReset))));
        };
        if truth.boot == self.boot {
            self.attached = true;
            return self.tell();
        }
        // After a gap a kind that knows no better may still believe that it saw all: the machine must not.
        let unfinished = truth.gap || truth.end == Some(TrueEnd::Died { finished: false });
        self.step(Event::Stopped(Setback::Gone { evidence: fault(Code::Lost), unfinished }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]
    #[test]
    fn no_history_runs_a_job_twice_without_proof_or_leaves_it_without_an_end(
        ops in vec(op(), 0..80),
        policy in prop_oneof![Just(Rerun::Never), Just(Rerun::IfProvenAbsent), Just(Rerun::Always)],
        chat in any::<bool>(),
        deadline in prop::option::of(1u64..100),
    ) {
        let terms = Terms {
            rerun: policy,
            deadline: deadline.map(Duration::from_secs),
            files: Files::Fetch,
            ..Terms::default()
        };
        let mut world = World::new(terms, if chat { CHAT } else { COMFY });
        for op in ops {
            world.apply(op);
        }
        // From here on all goes well: it ends soon.
        for _ in 0..60 {
            for op in [Op::Do(Line::Works), Op::BackendStarts, Op::Do(Line::Works), Op::BackendEnds] {
                world.apply(op);
            }
        }
        let state = world.machine.state();
        prop_assert!(world.machine.stage().is_end() && world.waiting.is_empty(), "{:?}", world.machine);
        prop_assert_eq!(world.replayed(), world.machine.clone());
        prop_assert!(world.ends <= 1, "{} ends", world.ends);
        prop_assert!(world.machine.tally().attempts <= ATTEMPTS);
        let ran_well = |r: &&Truth| matches!(r.end, Some(TrueEnd::Done | TrueEnd::Died { finished: true }));
        if policy != Rerun::Always {
            prop_assert!(world.runs.iter().filter(ran_well).count() <= 1, "{:?}", world.runs);
        }
        if state == JobState::Done {
            prop_assert!(world.runs.iter().any(|r| ran_well(&r)));
        }
    }
}
