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

use crate::world::backend;

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
