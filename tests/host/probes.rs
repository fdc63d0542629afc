//! Probes on a machine that is busy: a backend that lives is never called dead.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use backline::{
    Wanted,
    config::Config,
    model::{EventBody, Health, Kind, Phase},
    sim::litellm::{Options, SimLitellm},
    supervisor::query::HealthOf,
};
use futures_util::StreamExt;

use crate::world::{backend, chat, done, until};

/// Servers, each probed as often as the prober's wheel turns.
const SERVERS: usize = 40;
const PROBES: u64 = 10_000;

/// Threads that take a core each until they are dropped.
struct Burners(Arc<AtomicBool>, Vec<std::thread::JoinHandle<()>>);

impl Burners {
    fn new(count: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let burn = |stop: Arc<AtomicBool>| {
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        let threads = (0..count).map(|_| burn(stop.clone())).collect();
        Self(stop, threads)
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        for thread in self.1.drain(..) {
            // It does nothing that panics.
            let _ = thread.join();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_no_false_alarm_in_ten_thousand_probes_with_both_cores_busy() {
    let mut servers = Vec::new();
    let mut config = Config::new();
    for n in 0..SERVERS {
        let server = SimLitellm::start(Options::default()).await.unwrap();
        let key = backline::config::Secret::Inline(server.key().into());
        let mut one = backend(&format!("b{n}"), Kind::Litellm, server.port()).with_key(key);
        one.probe.interval = Duration::from_millis(100);
        config = config.backend(one);
        servers.push(server);
    }
    let supervisor = backline::Supervisor::builder().config(config).start().await.unwrap();
    supervisor.ready(Wanted::All, Duration::from_secs(20)).await.unwrap();
    let _burners = Burners::new(2);
    let mut events = supervisor.events();
    let watch = async {
        while let Some(event) = events.next().await {
            let event = event.unwrap();
            // That the last of them became ready may be told after we began to listen.
            let alarm = match &event.body {
                EventBody::BackendPhase { phase, .. } => *phase != Phase::Ready,
                EventBody::BackendHealth { health, .. } => *health != Health::Healthy,
                body => body.name() == "notice.raised",
            };
            assert!(!alarm, "a false alarm: {:#?}", event.body);
        }
    };
    let count = async {
        let mut beat = tokio::time::interval(Duration::from_millis(500));
        loop {
            beat.tick().await;
            let mut probes = 0;
            for n in 0..SERVERS {
                probes += supervisor.query(HealthOf::id(format!("b{n}"))).await.unwrap().probes;
            }
            if probes >= PROBES {
                return;
            }
        }
    };
    tokio::select! {
        () = watch => panic!("the events ended"),
        () = count => {}
    }
    supervisor.shutdown(Duration::from_secs(5)).await;
}

/// What jobs and leases ask is timed, what a probe asks is not; and all histograms are there before the first sample.
#[tokio::test]
async fn requests_are_timed_and_checks_are_not() {
    let server = SimLitellm::start(Options::default()).await.unwrap();
    let key = backline::config::Secret::Inline(server.key().into());
    let mut config = backend("litellm", Kind::Litellm, server.port()).with_key(key);
    config.probe.interval = Duration::from_millis(100);
    let supervisor = crate::world::supervise(Config::new().backend(config)).await;
    let count = |metric: &str, labels: &str| {
        let text = supervisor.metrics();
        let name = format!("backline_{metric}_seconds_count{{{labels}}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(name.as_str()).map(str::to_owned));
        line.unwrap_or_else(|| panic!("{name}: {text}")).parse::<u64>().unwrap()
    };
    let requests = || count("request_duration", r#"backend="litellm",outcome="ok""#);
    until(&supervisor, "litellm", |b| b.latency_ms.is_some()).await;
    assert_eq!((requests(), count("pool_wait", r#"pool="litellm""#)), (0, 0));
    assert!(supervisor.snapshot().backends[0].request_ms.is_none());
    let job = supervisor.run(chat("stub")).await.unwrap();
    done(&job).await;
    let by_job = requests();
    assert!(by_job >= 1);
    let lease = supervisor.litellm("litellm").await.unwrap();
    lease.models().await.unwrap();
    assert!(requests() > by_job);
    until(&supervisor, "litellm", |b| b.request_ms.is_some_and(|ms| ms.p50 > 0.0)).await;
}
