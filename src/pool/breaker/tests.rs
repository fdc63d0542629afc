use proptest::prelude::*;

use super::*;
use crate::model::{Code, status::BreakerState};

fn failed(code: Code) -> Outcome {
    Outcome::of(&Fault::new(code, "it failed"))
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A breaker, and a clock to go on with.
struct Rig(Breaker, Instant);

impl Rig {
    fn new() -> Self {
        Self(Breaker::new(), Instant::now())
    }

    fn takes(&mut self, outcome: &Outcome) -> Gate {
        self.0.take(outcome, 2, self.1);
        self.0.gate(self.1)
    }

    fn after(&mut self, wait: Duration) -> Gate {
        self.1 += wait;
        self.0.gate(self.1)
    }
}

#[test]
fn one_failure_lets_others_go_first_and_three_in_a_row_open_it() {
    let mut rig = Rig::new();
    assert_eq!(rig.takes(&failed(Code::BackendError)), Gate::Resting);
    assert_eq!(rig.after(secs(2)), Gate::Clear);
    rig.takes(&failed(Code::BackendError));
    assert_eq!(rig.takes(&failed(Code::RequestTimeout)), Gate::Ejected);
    let shown = rig.0.shown(rig.1);
    assert_eq!((shown.state, shown.until), (BreakerState::Open, Some(rig.1 + FIRST)));
    assert!(shown.why.unwrap().contains("3 requests failed in a row"));
}

#[test]
fn a_refused_connection_opens_it_at_once_and_a_session_closes_it() {
    let mut rig = Rig::new();
    assert_eq!(rig.takes(&failed(Code::ConnectionRefused)), Gate::Ejected);
    rig.0.connected(rig.1);
    assert_eq!(rig.after(secs(0)), Gate::Clear);
}

#[test]
fn half_of_twenty_open_it_and_half_of_ten_do_not() {
    let mut rig = Rig::new();
    for turn in 0..19 {
        let gate = rig.takes(&if turn % 2 == 0 { failed(Code::BackendError) } else { Outcome::Good });
        assert_ne!(gate, Gate::Ejected, "turn {turn}");
    }
    assert_eq!(rig.takes(&failed(Code::BackendError)), Gate::Ejected);
}

#[test]
fn the_trial_is_single_and_decides() {
    let mut rig = Rig::new();
    rig.takes(&failed(Code::ConnectionRefused));
    assert_eq!(rig.after(FIRST), Gate::Trial);
    let trial = rig.0.begin_trial(rig.1).unwrap();
    assert!(rig.0.begin_trial(rig.1).is_none());
    assert_eq!(rig.takes(&Outcome::Own), Gate::Ejected, "what is nobody's fault does not end the trial");
    rig.0.end_trial(trial + 1);
    assert_eq!(rig.after(secs(1)), Gate::Ejected, "nor does the end of another");
    rig.0.end_trial(trial);
    assert_eq!(rig.after(secs(0)), Gate::Trial, "a trial that came to nothing leaves the next");
    assert!(rig.0.begin_trial(rig.1).is_some());
    assert_eq!(rig.takes(&failed(Code::BackendError)), Gate::Ejected);
    assert_eq!(rig.after(FIRST), Gate::Ejected, "longer than before");
    assert_eq!(rig.after(FIRST), Gate::Trial);
    assert!(rig.0.begin_trial(rig.1).is_some());
    assert_eq!(rig.takes(&Outcome::Good), Gate::Clear);
}

#[test]
fn what_is_the_callers_own_counts_for_nothing_and_a_pause_that_is_asked_for_is_kept() {
    let mut rig = Rig::new();
    for code in [Code::BadRequest, Code::NotFound, Code::AuthWrong, Code::Cancelled, Code::InvalidWorkflow] {
        for _ in 0..50 {
            assert_eq!(rig.takes(&failed(code)), Gate::Clear, "{code}");
        }
    }
    let asked = Fault::new(Code::RateLimited, "slower").with_retry_after(secs(7));
    assert_eq!(rig.takes(&Outcome::of(&asked)), Gate::Held);
    assert_eq!(rig.after(secs(6)), Gate::Held);
    assert_eq!(rig.after(secs(1)), Gate::Clear);
    assert_eq!(rig.0.shown(rig.1).state, BreakerState::Closed);
}

#[test]
fn each_flap_sets_it_aside_for_longer_and_probes_bring_it_back() {
    let mut rig = Rig::new();
    let gone = Fault::new(Code::ConnectionClosed, "gone");
    rig.0.lost(&gone, rig.1);
    assert_eq!(rig.after(secs(0)), Gate::Clear, "once is no flapping");
    let mut waits = Vec::new();
    for _ in 0..14 {
        rig.after(secs(10));
        rig.0.lost(&gone, rig.1);
        waits.push((rig.0.shown(rig.1).until.unwrap() - rig.1).as_secs());
    }
    assert_eq!((&waits[..3], waits[11]), (&[30, 60, 90][..], 300), "{waits:?}");
    rig.0.probed(2, rig.1);
    rig.0.probed(2, rig.1);
    assert_eq!(rig.after(secs(299)), Gate::Ejected, "what is answered before its time does not count");
    rig.after(secs(1));
    rig.0.probed(2, rig.1);
    assert_ne!(rig.after(secs(0)), Gate::Clear);
    rig.0.probed(2, rig.1);
    assert_eq!(rig.after(secs(0)), Gate::Clear);
}

proptest! {
    /// Whatever happens: one trial at a time, and never set aside for longer than the cap without a new failure.
    #[test]
    fn the_trial_is_single_whatever_happens(steps in prop::collection::vec((0u8..7, 0u64..20_000), 1..200)) {
        let mut rig = Rig::new();
        let mut trial: Option<(u64, Instant)> = None;
        for (step, wait) in steps {
            rig.after(Duration::from_millis(wait));
            match step {
                0 => { rig.takes(&Outcome::Good); trial = None; }
                1 => { rig.takes(&failed(Code::BackendError)); trial = None; }
                2 => { rig.takes(&failed(Code::ConnectionRefused)); trial = None; }
                3 => { rig.0.lost(&Fault::new(Code::ConnectionClosed, "gone"), rig.1); trial = None; }
                4 => if let Some((number, _)) = trial.take() { rig.0.end_trial(number) },
                5 => { rig.0.connected(rig.1); trial = None; }
                _ => if let Some(number) = rig.0.begin_trial(rig.1) {
                    prop_assert!(trial.is_none_or(|(_, since)| rig.1 - since >= TRIAL), "two trials");
                    trial = Some((number, rig.1));
                },
            }
            let shown = rig.0.shown(rig.1);
            prop_assert_eq!(shown.state != BreakerState::Closed, shown.why.is_some() && shown.state != BreakerState::Closed);
            if shown.state == BreakerState::Open {
                prop_assert!(shown.until.unwrap() - rig.1 <= FLAP_CAP);
            }
        }
        rig.after(FLAP_CAP + TRIAL);
        prop_assert_ne!(rig.0.gate(rig.1), Gate::Ejected);
    }
}
