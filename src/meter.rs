//! Metrics of one supervisor, in a recorder of its own: two supervisors in one process never mix, and the host's
//! global recorder is not touched.

use std::{borrow::Cow, time::Duration};

use metrics::{Key, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::{
    model::{JobState, Phase, Snapshot},
    pool::outcome::Outcome,
};

const METADATA: Metadata<'static> = Metadata::new("backline", Level::INFO, None);
/// Buckets of durations, in seconds: from a loopback answer to a long render.
const BUCKETS: [f64; 12] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];

const GAUGES: &[(&str, &str)] = &[
    ("backline_backend_up", "Whether the backend is ready."),
    ("backline_backend_phase", "1 for the phase in which the backend's connection is, 0 for the others."),
    ("backline_leases", "Leases given on the backend."),
    ("backline_jobs", "Jobs by state."),
    ("backline_build_info", "The build; always 1."),
];
const COUNTERS: &[(&str, &str)] = &[
    ("backline_connection_attempts_total", "Attempts to open a session, by outcome."),
    ("backline_reconnects_total", "Sessions opened after the first."),
    ("backline_jobs_total", "Jobs that ended, by outcome."),
    (
        "backline_tokens_total",
        "Tokens that requests used, as the answers of chat servers tell it, by direction.",
    ),
    ("backline_child_restarts_total", "Restarts of an actor by the tree."),
    ("backline_webhook_notices_total", "Notices for the webhook, by what became of an attempt to tell them."),
    ("backline_events_lagged_total", "Events that readers of the API were too slow for."),
];

const REQUEST: &str = "backline_request_duration_seconds";
const WAIT: &str = "backline_pool_wait_seconds";

const HISTOGRAMS: &[(&str, &str)] = &[
    ("backline_probe_duration_seconds", "Time until a probe was answered."),
    (
        REQUEST,
        "Time until the head of the answer to a request, by jobs and through leases, by outcome; checks are not counted.",
    ),
    (WAIT, "Waits for a lease of those that had to wait and got one."),
];

/// The metrics of one supervisor.
pub struct Meter {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Meter {
    pub(crate) fn new() -> Self {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).expect("constant buckets, in order");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        for (name, what) in GAUGES {
            recorder.describe_gauge((*name).into(), None, (*what).into());
        }
        for (name, what) in COUNTERS {
            recorder.describe_counter((*name).into(), None, (*what).into());
        }
        for (name, what) in HISTOGRAMS {
            recorder.describe_histogram((*name).into(), Some(Unit::Seconds), (*what).into());
        }
        let meter = Self { recorder, handle };
        // One that never lagged says so.
        meter.lagged(0);
        meter
    }

    pub(crate) fn attempted(&self, backend: &str, outcome: &'static str) {
        self.count("backline_connection_attempts_total", &[("backend", backend), ("outcome", outcome)]);
    }

    pub(crate) fn reconnected(&self, backend: &str) {
        self.count("backline_reconnects_total", &[("backend", backend)]);
    }

    pub(crate) fn probed(&self, backend: &str, took: Duration) {
        self.histogram("backline_probe_duration_seconds", &[("backend", backend)]).record(took);
    }

    /// A request that was no check came to an answer, or to none.
    pub(crate) fn requested(&self, backend: &str, outcome: &'static str, took: Duration) {
        self.histogram(REQUEST, &[("backend", backend), ("outcome", outcome)]).record(took);
    }

    /// A lease that had to be waited for.
    pub(crate) fn waited(&self, pool: &str, time: Duration) {
        self.histogram(WAIT, &[("pool", pool)]).record(time);
    }

    pub(crate) fn job_ended(&self, backend: &str, outcome: JobState) {
        self.count("backline_jobs_total", &[("backend", backend), ("outcome", outcome.as_str())]);
    }

    pub(crate) fn restarted(&self, child: &str) {
        self.count("backline_child_restarts_total", &[("child", child)]);
    }

    pub(crate) fn webhook(&self, outcome: &'static str, count: u64) {
        let key = key("backline_webhook_notices_total", &[("outcome", outcome)]);
        self.recorder.register_counter(&key, &METADATA).increment(count);
    }

    /// A reader of the API missed events.
    pub fn lagged(&self, missed: u64) {
        let key = key("backline_events_lagged_total", &[]);
        self.recorder.register_counter(&key, &METADATA).increment(missed);
    }

    /// Takes the samples since the last time into their buckets. Until then each is kept: to be done now and then, also
    /// where nobody looks.
    pub(crate) fn keep_up(&self) {
        self.handle.run_upkeep();
    }

    /// The metrics as Prometheus text; what is a state is read from the snapshot now.
    pub fn render(&self, snapshot: &Snapshot) -> String {
        self.set("backline_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        for backend in &snapshot.backends {
            let id = backend.id.as_str();
            self.set("backline_backend_up", &[("backend", id)], f64::from(backend.phase == Phase::Ready));
            for phase in Phase::ALL {
                let labels = [("backend", id), ("phase", phase.as_str())];
                self.set("backline_backend_phase", &labels, f64::from(backend.phase == phase));
            }
            // Those of which nothing is counted yet say so. Who waits for one backend waits in a pool of its name.
            drop(self.histogram(REQUEST, &[("backend", id), ("outcome", Outcome::Good.as_str())]));
            drop(self.histogram(WAIT, &[("pool", id)]));
            self.set("backline_leases", &[("backend", id)], f64::from(backend.slots.used));
            if let Some(tokens) = backend.tokens {
                for (direction, count) in [("prompt", tokens.prompt), ("completion", tokens.completion)] {
                    let labels = [("backend", id), ("direction", direction)];
                    self.recorder
                        .register_counter(&key("backline_tokens_total", &labels), &METADATA)
                        .absolute(count);
                }
            }
        }
        for pool in &snapshot.pools {
            drop(self.histogram(WAIT, &[("pool", &pool.id)]));
        }
        for (state, count) in &snapshot.jobs {
            self.set("backline_jobs", &[("state", state.as_str())], *count as f64);
        }
        self.keep_up();
        self.handle.render()
    }

    fn count(&self, name: &'static str, labels: &[(&'static str, &str)]) {
        self.recorder.register_counter(&key(name, labels), &METADATA).increment(1);
    }

    fn histogram(&self, name: &'static str, labels: &[(&'static str, &str)]) -> metrics::Histogram {
        self.recorder.register_histogram(&key(name, labels), &METADATA)
    }

    fn set(&self, name: &'static str, labels: &[(&'static str, &str)], value: f64) {
        self.recorder.register_gauge(&key(name, labels), &METADATA).set(value);
    }
}

fn key(name: &'static str, labels: &[(&'static str, &str)]) -> Key {
    let labels = labels.iter().map(|(name, value)| Label::new(*name, Cow::<str>::Owned((*value).to_owned())));
    Key::from_parts(name, labels.collect::<Vec<_>>())
}
