use super::*;
use crate::history::clock::Clock;

const T0: i64 = 1_800_000_000_000;

struct Told {
    chapter: Chapter,
    clock: Clock,
    mono: Duration,
    wall_ms: i64,
}

impl Told {
    fn new() -> Self {
        let mut clock = Clock::new(T0);
        let chapter = Chapter::new(Keep::default(), clock.read(Duration::ZERO, T0));
        Self { chapter, clock, mono: Duration::ZERO, wall_ms: T0 }
    }

    fn pass(&mut self, seconds: u64) -> Moment {
        self.mono += Duration::from_secs(seconds);
        self.wall_ms += seconds as i64 * 1_000;
        self.clock.read(self.mono, self.wall_ms)
    }

    fn enter(&mut self, after: u64, phase: Phase) {
        let now = self.pass(after);
        self.chapter.entered(now, Step::new(timestamp(now.at_ms), phase, None, None));
    }

    fn uptime(&mut self, after: u64) -> Option<f64> {
        let now = self.pass(after);
        self.chapter.figures(now).uptime
    }
}

#[test]
fn uptime_is_the_share_ready_of_the_time_wanted() {
    let mut told = Told::new();
    assert_eq!(told.uptime(100), None, "nothing was wanted yet");
    told.enter(0, Phase::Dialing);
    told.enter(10, Phase::Ready);
    told.enter(70, Phase::Waiting);
    told.enter(20, Phase::Ready);
    assert_eq!(told.uptime(100), Some(0.85));
    told.enter(0, Phase::Paused);
    assert_eq!(told.uptime(3_000), Some(0.85), "a pause is nobody's fault");
    told.enter(0, Phase::Closed);
    assert_eq!(told.uptime(3_000), Some(0.85));
}

#[test]
fn a_clock_that_is_set_neither_adds_nor_takes() {
    for jump in [7_200_000, -7_200_000, -3_000] {
        let mut told = Told::new();
        told.enter(0, Phase::Ready);
        told.pass(5);
        told.wall_ms += jump;
        let now = told.pass(5);
        let report = told.chapter.report("a".parse().unwrap(), now, Duration::from_secs(86_400));
        let ready: f64 = report.buckets.iter().map(|b| b.ready_s).sum();
        assert_eq!(ready, 10.0, "{jump}");
        assert_eq!(told.uptime(0), Some(1.0), "{jump}");
    }
}

#[test]
fn the_time_up_to_a_probe_is_counted_before_it() {
    let mut told = Told::new();
    told.enter(0, Phase::Ready);
    let now = told.pass(5);
    told.chapter.probed(now, Some(Duration::from_millis(2)));
    let (_, buckets) = told.chapter.tiers.window(now.at_ms, Duration::from_secs(60));
    assert_eq!(buckets.iter().map(|b| b.ready_ms).sum::<u32>(), 5_000);
    assert_eq!(buckets.last().unwrap().ok, 1);
}

#[test]
fn a_window_tells_its_probes_and_its_phases() {
    let mut told = Told::new();
    told.enter(0, Phase::Dialing);
    told.enter(1, Phase::Ready);
    for ms in [2, 4, 6] {
        let now = told.pass(5);
        told.chapter.probed(now, Some(Duration::from_millis(ms)));
    }
    told.enter(30, Phase::Waiting);
    let now = told.pass(1);
    told.chapter.probed(now, None);
    let report = told.chapter.report("a".parse().unwrap(), now, Duration::from_secs(10));
    let phases: Vec<_> = report.timeline.iter().map(|s| s.phase).collect();
    assert_eq!(phases, [Phase::Ready, Phase::Waiting], "begins in the phase of its beginning");
    assert_eq!((report.bucket_s, report.success_rate), (1, Some(0.0)));
    let report = told.chapter.report("a".parse().unwrap(), now, Duration::from_secs(900));
    assert_eq!((report.bucket_s, report.success_rate), (10, Some(0.75)));
    let probed: Vec<_> = report.buckets.iter().filter(|b| b.probes_ok > 0).collect();
    assert_eq!(probed[0].latency_min_ms, Some(2.0));
    assert_eq!(probed.iter().map(|b| b.probes_ok).sum::<u32>(), 3);
    let csv = report.csv();
    let mut lines = csv.lines();
    let columns = lines.next().unwrap().split(',').count();
    assert_eq!(lines.clone().count(), report.buckets.len());
    assert!(lines.all(|line| line.split(',').count() == columns), "{csv}");
}

#[test]
fn a_year_between_two_looks_is_no_work() {
    let mut told = Told::new();
    told.enter(0, Phase::Ready);
    assert_eq!(told.uptime(365 * 86_400), Some(1.0));
}
