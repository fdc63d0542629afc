use super::*;
use crate::{
    config::BackendConfig,
    connection::record::Record,
    hub::Hub,
    model::{
        Kind,
        status::{Quantiles, Queue},
    },
    net::Address,
};

struct Stage {
    gauges: Gauges,
    status: BackendStatus,
    limits: Thresholds,
    now: Instant,
}

impl Stage {
    fn new(limits: Thresholds) -> Self {
        let config = BackendConfig::new("a".parse().unwrap(), Kind::Comfyui, Address::loopback(1));
        let hub = std::sync::Arc::new(Hub::new(backline_supervisors::TreeSnapshot::down("root")));
        let mut status = Record::new(&config, hub).read(Clone::clone);
        status.phase = Phase::Ready;
        Self { gauges: Gauges::default(), status, limits, now: Instant::now() }
    }

    fn waiting(&mut self, pending: u32) -> &mut Self {
        self.status.queue = Some(Queue { running: 1, pending });
        self
    }

    fn look(&mut self) -> Vec<Code> {
        self.gauges.look(&self.status, &self.limits, self.now).0.iter().map(|d| d.code).collect()
    }

    fn after(&mut self, seconds: u64) -> &mut Self {
        self.now += Duration::from_secs(seconds);
        self
    }
}

fn queue(limit: u32) -> Thresholds {
    Thresholds { queue: Some(limit), ..Thresholds::default() }
}

#[test]
fn a_limit_has_to_be_passed_for_a_while_and_well_left_for_a_while() {
    let mut stage = Stage::new(queue(10));
    assert_eq!(stage.waiting(11).look(), []);
    assert_eq!(stage.after(9).look(), []);
    assert_eq!(stage.after(1).look(), [Code::QueueLong]);
    assert_eq!(stage.after(60).look(), [], "told once");
    assert!(stage.gauges.is_past(Code::QueueLong));
    stage.waiting(10).after(60).look();
    stage.after(60).look();
    assert!(stage.gauges.is_past(Code::QueueLong), "near the limit nothing changes");
    stage.waiting(9).look();
    stage.after(5).waiting(12).look();
    stage.after(5).waiting(9).look();
    stage.after(9).look();
    assert!(stage.gauges.is_past(Code::QueueLong), "the wait begins anew");
    stage.after(1).look();
    assert!(!stage.gauges.is_past(Code::QueueLong));
}

#[test]
fn a_short_peak_is_no_news_and_what_is_unknown_passes_no_limit() {
    let mut stage = Stage::new(queue(10));
    stage.waiting(100).look();
    stage.after(5).waiting(0).look();
    assert_eq!(stage.after(1).waiting(100).look(), []);
    assert_eq!(stage.after(9).look(), []);
    assert_eq!(stage.after(1).look(), [Code::QueueLong]);
    stage.status.phase = Phase::Waiting;
    stage.look();
    assert!(!stage.gauges.is_past(Code::QueueLong), "of a backend that is away nothing is known");
    stage.status.queue = None;
    stage.status.phase = Phase::Ready;
    assert_eq!(stage.after(100).look(), []);
}

#[test]
fn each_limit_is_read_in_its_own_way() {
    let mut stage = Stage::new(Thresholds {
        latency: Some(Duration::from_millis(500)),
        queue: None,
        success: Some(90),
        vram_free: Some(2 << 30),
    });
    stage.status.latency_ms = Some(Quantiles { p50: 1.0, p95: 501.0, p99: 502.0 });
    stage.status.success_rate = Some(0.89);
    stage.status.resources.vram_free = Some((2 << 30) - 1);
    stage.look();
    assert_eq!(stage.after(10).look(), [Code::LatencyHigh, Code::SuccessLow, Code::VramLow]);
    stage.status.success_rate = Some(0.94);
    stage.status.latency_ms = Some(Quantiles { p50: 1.0, p95: 450.0, p99: 502.0 });
    stage.status.resources.vram_free = Some(3 << 30);
    stage.after(1).look();
    stage.after(10).look();
    let past = [Code::LatencyHigh, Code::SuccessLow, Code::VramLow].map(|code| stage.gauges.is_past(code));
    assert_eq!(past, [false, true, false], "94 % is not well back");
    stage.limits.success = None;
    stage.look();
    assert!(!stage.gauges.is_past(Code::SuccessLow), "a limit that was taken out is none");
}
