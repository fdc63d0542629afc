use super::*;
use crate::{
    config::BackendConfig,
    connection::record::Record,
    hub::Hub,
    model::{Fault, Kind, status::LastError},
    net::Address,
};

/// One backend, looked at.
struct Stage {
    case: Case,
    status: BackendStatus,
    now: Instant,
    wall: jiff::Timestamp,
}

impl Stage {
    fn new() -> Self {
        let config = BackendConfig::new("a".parse().unwrap(), Kind::Comfyui, Address::loopback(1));
        let hub = std::sync::Arc::new(Hub::new(backline_supervisors::TreeSnapshot::down("root")));
        let status = Record::new(&config, hub).read(Clone::clone);
        Self { case: Case::default(), status, now: Instant::now(), wall: jiff::Timestamp::UNIX_EPOCH }
    }

    fn look(&mut self) -> Verdict {
        self.weighs(Weight::Needed)
    }

    fn weighs(&mut self, weight: Weight) -> Verdict {
        self.case.look(&self.status, weight, Moment { wall: self.wall, tick: self.now })
    }

    fn after(&mut self, seconds: u64) -> &mut Self {
        let passed = Duration::from_secs(seconds);
        self.now += passed;
        self.wall += passed;
        self
    }

    fn ready(&mut self) -> Verdict {
        (self.status.phase, self.status.health) = (Phase::Ready, Health::Healthy);
        (self.status.reason, self.status.last_error) = (None, None);
        self.status.epoch += 1;
        self.look()
    }

    fn crashes(&mut self, times: u64) {
        (self.status.restarts, self.status.crashed_at) = (times, Some(self.wall));
    }

    fn fails(&mut self, phase: Phase, code: Code) -> Verdict {
        let fault = Fault::new(code, format!("because of {code}"));
        self.status.phase = phase;
        self.status.epoch += 1;
        self.status.reason = Some(fault.message().to_owned());
        self.status.last_error = Some(LastError::new(&fault, jiff::Timestamp::UNIX_EPOCH));
        self.look()
    }
}

fn codes(verdict: &Verdict) -> Vec<Code> {
    verdict.raise.iter().map(|d| d.code).collect()
}

fn only(codes: &[Code]) -> Keep {
    Keep::Only(codes.iter().copied().collect())
}

#[test]
fn before_anything_is_known_what_was_open_stays() {
    let mut stage = Stage::new();
    stage.look();
    assert_eq!(stage.case.keep, Keep::All);
    stage.status.phase = Phase::Dialing;
    stage.look();
    assert_eq!(stage.case.keep, Keep::All);
    stage.ready();
    assert_eq!(stage.case.keep, only(&[]));
}

#[test]
fn what_a_person_has_to_mend_is_told_at_once_and_counted_by_attempts() {
    let mut stage = Stage::new();
    let first = stage.fails(Phase::Parked, Code::AuthWrong);
    assert_eq!(codes(&first), [Code::AuthWrong]);
    assert_eq!(first.raise[0].message, "because of auth_wrong");
    assert_eq!(codes(&stage.after(60).look()), [], "nothing new happened");
    stage.status.epoch += 2;
    assert_eq!(stage.after(60).fails(Phase::Parked, Code::AuthWrong).raise[0].times, 3);
    stage.ready();
    assert_eq!(stage.case.keep, only(&[]));
}

#[test]
fn a_restart_within_the_grace_is_not_told() {
    let mut stage = Stage::new();
    stage.ready();
    let lost = stage.after(10).fails(Phase::Waiting, Code::ConnectionReset);
    assert_eq!((codes(&lost), lost.due), (vec![], Some(stage.now + GRACE)));
    assert_eq!(codes(&stage.after(4).fails(Phase::Waiting, Code::ConnectionRefused)), []);
    assert_eq!(codes(&stage.after(0).ready()), []);
}

#[test]
fn an_outage_with_many_causes_is_one_notice() {
    let mut stage = Stage::new();
    stage.fails(Phase::Waiting, Code::ConnectionRefused);
    assert_eq!(codes(&stage.after(5).look()), [Code::ConnectionRefused]);
    for code in [Code::ConnectTimeout, Code::ConnectionReset, Code::ConnectTimeout, Code::ConnectionRefused] {
        let verdict = stage.after(3).fails(Phase::Waiting, code);
        assert_eq!(codes(&verdict), [Code::ConnectionRefused]);
        assert_eq!(verdict.raise[0].message, "because of connection_refused");
    }
    // The machine is off now, and that stays so.
    for _ in 0..2 {
        assert_eq!(codes(&stage.after(30).fails(Phase::Waiting, Code::NoRoute)), [Code::ConnectionRefused]);
    }
    assert_eq!(codes(&stage.after(30).fails(Phase::Waiting, Code::NoRoute)), [Code::NoRoute]);
    assert_eq!(stage.case.keep, only(&[Code::NoRoute]));
}

#[test]
fn a_backend_that_is_not_needed_has_a_longer_grace_and_a_milder_notice() {
    let mut stage = Stage::new();
    stage.fails(Phase::Waiting, Code::ConnectionRefused);
    stage.after(29);
    assert_eq!(codes(&stage.weighs(Weight::Optional)), []);
    stage.after(1);
    let told = stage.weighs(Weight::Optional);
    assert_eq!(told.raise[0].severity, Severity::Warning);
}

#[test]
fn sessions_that_nobody_saw_ready_are_flapping_too() {
    let mut stage = Stage::new();
    stage.status.connected_at = Some(jiff::Timestamp::UNIX_EPOCH);
    stage.fails(Phase::Waiting, Code::ConnectionClosed);
    for turn in 0..LOSSES {
        let at = jiff::Timestamp::from_second(1 + turn as i64).unwrap();
        stage.status.connected_at = Some(at);
        let lost = stage.after(1).fails(Phase::Waiting, Code::ConnectionClosed);
        assert_eq!(codes(&lost).contains(&Code::Flapping), turn + 1 == LOSSES);
    }
    // Attempts that end in no session are none that was lost.
    let refused = stage.after(1).fails(Phase::Waiting, Code::ConnectionRefused);
    assert!(!codes(&refused).contains(&Code::Flapping), "{refused:?}");
}

#[test]
fn a_session_that_comes_and_goes_is_flapping_until_it_holds() {
    let mut stage = Stage::new();
    for turn in 0..LOSSES {
        stage.after(10).ready();
        let lost = stage.after(1).fails(Phase::Waiting, Code::ConnectionClosed);
        assert_eq!(codes(&lost).contains(&Code::Flapping), turn + 1 == LOSSES);
    }
    // The next loss is seen only by the session's epoch: the look between was missed.
    stage.after(1).ready();
    let missed = stage.after(1).ready();
    assert_eq!((codes(&missed), missed.raise[0].times), (vec![Code::Flapping], 1));
    assert_eq!(missed.due, Some(stage.now + CALM));
    stage.after(CALM.as_secs()).look();
    assert_eq!(stage.case.keep, only(&[]));
}

#[test]
fn a_hang_a_blind_channel_and_a_vulnerable_version_are_told_and_withdrawn() {
    let mut stage = Stage::new();
    stage.status.version = Some("0.3.64".to_owned());
    assert_eq!(codes(&stage.ready()), [Code::VersionVulnerable]);
    stage.status.channel = Channel::Polling;
    let due = stage.after(1).look().due.unwrap();
    assert_eq!(due, stage.now + BLIND);
    assert_eq!(codes(&stage.after(20).look()), [Code::ChannelDegraded]);
    stage.status.health = Health::Unhealthy;
    assert_eq!(codes(&stage.after(1).look()), [Code::Hang]);
    stage.status.channel = Channel::Live;
    stage.status.version = Some("0.28.0".to_owned());
    stage.ready();
    assert_eq!(stage.case.keep, only(&[]));
}

#[test]
fn a_crash_is_told_for_a_minute_and_a_quarantine_until_it_ends() {
    let mut stage = Stage::new();
    stage.ready();
    stage.crashes(2);
    let crashed = stage.after(1).ready();
    assert_eq!(
        (codes(&crashed), crashed.due),
        (vec![Code::Crashed], Some(stage.now + CRASH - Duration::from_secs(1)))
    );
    stage.after(60).look();
    assert_eq!(stage.case.keep, only(&[]));
    assert_eq!(codes(&stage.fails(Phase::Quarantined, Code::CrashLoop)), [Code::CrashLoop]);
}

#[test]
fn a_crash_before_the_first_look_is_told_and_one_of_long_ago_is_not() {
    let mut stage = Stage::new();
    stage.crashes(1);
    assert_eq!(codes(&stage.after(1).ready()), [Code::Crashed]);
    // The watcher that saw it has crashed, too.
    stage.case = Case::default();
    assert_eq!(codes(&stage.after(100).look()), []);
    // The clock was set back since.
    stage.case = Case::default();
    stage.wall = jiff::Timestamp::UNIX_EPOCH - Duration::from_secs(3600);
    assert_eq!(stage.look().due, Some(stage.now + CRASH));
}

#[test]
fn a_crash_that_is_seen_while_it_dials_anew_stays_open() {
    let mut stage = Stage::new();
    stage.ready();
    stage.crashes(1);
    (stage.status.phase, stage.status.reason) = (Phase::Dialing, None);
    assert_eq!(codes(&stage.look()), [Code::Crashed]);
    assert_eq!(stage.case.keep, only(&[Code::Crashed]));
    assert_eq!(codes(&stage.ready()), []);
    assert_eq!(stage.case.keep, only(&[Code::Crashed]));
}

#[test]
fn who_is_paused_disabled_or_leaving_is_no_trouble() {
    let mut stage = Stage::new();
    stage.fails(Phase::Parked, Code::Tls);
    stage.fails(Phase::Closed, Code::Closing);
    assert_eq!(stage.case.keep, only(&[Code::Tls]), "for the next run");
    stage.fails(Phase::Paused, Code::Paused);
    assert_eq!(stage.case.keep, only(&[]));
    assert_eq!(codes(&stage.fails(Phase::Parked, Code::Tls)), [Code::Tls]);
    stage.status.enabled = false;
    stage.look();
    assert_eq!(stage.case.keep, only(&[]));
}
