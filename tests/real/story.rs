//! What is asked of a connection to each real server.

use std::{sync::Arc, time::Duration};

use backline::{
    Snapshot, Supervisor, Wanted,
    config::{BackendConfig, Config},
    jobs::{Job, JobHandle},
    model::{BackendId, BackendStatus, JobStatus, Kind, Phase},
    net::Address,
    sim::comfyui::{SimComfyui, Version},
};
use tokio::time::Instant;

use crate::server::Server;

/// Longest wait for anything that has no bound of its own.
const LIMIT: Duration = Duration::from_secs(150);

pub(crate) fn backend(id: &str, kind: Kind, port: u16) -> BackendConfig {
    BackendConfig::new(BackendId::new(id).unwrap(), kind, Address::loopback(port))
}

/// A supervisor over one real server and one simulated neighbour, which must notice nothing.
pub(crate) struct Story {
    pub(crate) supervisor: Supervisor,
    id: &'static str,
    _neighbour: SimComfyui,
    neighbours_epoch: u64,
}

impl Story {
    /// The server listens already: all are ready within 2 s.
    pub(crate) async fn begin(real: BackendConfig, id: &'static str) -> Self {
        let neighbour = SimComfyui::start(Version::V0_24_0).await.unwrap();
        let config = Config::new().backend(real).backend(backend(
            "neighbour",
            Kind::Comfyui,
            neighbour.server().port(),
        ));
        let supervisor = Supervisor::builder().config(config).start().await.unwrap();
        // Promised is 2 s; a server that has only just begun to listen answers its first request later on a machine
        // whose cores are taken.
        supervisor.ready(Wanted::All, Duration::from_secs(10)).await.unwrap();
        let neighbours_epoch = supervisor.snapshot().backend("neighbour").unwrap().epoch;
        Self { supervisor, id, _neighbour: neighbour, neighbours_epoch }
    }

    pub(crate) fn status(&self) -> Arc<BackendStatus> {
        self.supervisor.snapshot().backend(self.id).unwrap().clone()
    }

    pub(crate) async fn until(&self, within: Duration, fits: impl Fn(&BackendStatus) -> bool) -> Duration {
        let begun = Instant::now();
        let mut cell = self.supervisor.watch();
        let met = |now: &Arc<Snapshot>| now.backend(self.id).is_some_and(|b| fits(b));
        let waited = tokio::time::timeout(within, cell.wait_for(met)).await;
        assert!(waited.is_ok(), "not within {within:?}: {:#?}", self.status());
        begun.elapsed()
    }

    /// Killed, it is seen in time, with cause and remedy; started again, it is ready again by itself.
    pub(crate) async fn dies_and_comes_back(&self, server: &mut Server, seen_within: Duration, times: u32) {
        for _ in 0..times {
            server.kill();
            self.until(seen_within, |b| b.phase != Phase::Ready).await;
            let status = self.status();
            let error = status.last_error.as_ref().expect("a cause");
            assert!(!error.message.is_empty() && !error.fix.is_empty(), "{error:?}");
            server.start().await;
            self.until(Duration::from_secs(6), |b| b.phase == Phase::Ready).await;
        }
        self.nobody_else_noticed();
    }

    /// Stopped for half a minute while idle, it is noticed; continued, it is back.
    pub(crate) async fn hangs_and_comes_back(&self, server: &Server) {
        let stopped = Instant::now();
        server.stop();
        self.until(Duration::from_secs(13), |b| b.phase != Phase::Ready).await;
        // Dials meet a server that takes connections and says nothing.
        tokio::time::sleep_until(stopped + Duration::from_secs(30)).await;
        assert_ne!(self.status().phase, Phase::Ready);
        server.resume();
        self.until(Duration::from_secs(15), |b| b.phase == Phase::Ready).await;
        self.nobody_else_noticed();
    }

    pub(crate) fn nobody_else_noticed(&self) {
        let snapshot = self.supervisor.snapshot();
        let neighbour = snapshot.backend("neighbour").unwrap();
        assert_eq!((neighbour.phase, neighbour.epoch), (Phase::Ready, self.neighbours_epoch));
    }

    pub(crate) async fn work(&self, job: Job) -> Arc<JobStatus> {
        end(&self.supervisor.run(job).await.unwrap()).await
    }
}

pub(crate) async fn end(job: &JobHandle) -> Arc<JobStatus> {
    let ended = tokio::time::timeout(LIMIT, job.outcome()).await;
    ended.unwrap_or_else(|_| panic!("no end: {:#?}", job.status()))
}
