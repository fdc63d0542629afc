//! Two real servers of a kind in a pool, under load: one is killed, stopped, slowed, answers 500 and 429.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use backline::{
    Supervisor, Wanted,
    backends::litellm::ChatRequest,
    config::{BackendConfig, Config, PoolConfig, Secret},
    jobs::Job,
    model::{BackendStatus, JobState, Kind, Phase, PoolStatus, status::BreakerState},
    sim::proxy::FaultProxy,
};
use serde_json::json;
use tokio::{task::JoinSet, time::Instant};

use crate::{gradio, litellm, server::Server, story::backend};

const LIMIT: Duration = Duration::from_secs(60);

/// What a request came to, where, and when.
#[derive(Debug, Clone)]
struct Served {
    at: Instant,
    backend: String,
    good: bool,
}

/// Chats without a pause, a few at a time, for as long as it lives.
struct Load {
    served: Arc<Mutex<Vec<Served>>>,
    _tasks: JoinSet<()>,
}

impl Load {
    fn begin(supervisor: &Supervisor, pool: &'static str, tasks: usize) -> Self {
        let served = Arc::<Mutex<Vec<Served>>>::default();
        let mut running = JoinSet::new();
        for _ in 0..tasks {
            let (handle, served) = (supervisor.handle(), served.clone());
            running.spawn(async move {
                loop {
                    let lease = handle.litellm(pool).await.unwrap();
                    let at = Instant::now();
                    let good = lease.chat(ChatRequest::new().model("stub").user("hi")).await.is_ok();
                    let backend = lease.backend().to_string();
                    served.lock().unwrap().push(Served { at, backend, good });
                    drop(lease);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
        Self { served, _tasks: running }
    }

    fn since(&self, begun: Instant) -> Vec<Served> {
        self.served.lock().unwrap().iter().filter(|one| one.at >= begun).cloned().collect()
    }

    /// Counts by backend over this long from now on.
    async fn counts(&self, time: Duration) -> HashMap<String, usize> {
        let begun = Instant::now();
        tokio::time::sleep(time).await;
        by_backend(self.since(begun))
    }

    /// Waits until what was served from now on is as `fits` says: how long that takes is the machine's business.
    async fn until(&self, what: &str, fits: impl Fn(&HashMap<String, usize>) -> bool) {
        let begun = Instant::now();
        loop {
            let counts = by_backend(self.since(begun));
            if fits(&counts) {
                return;
            }
            assert!(begun.elapsed() < LIMIT, "{what}: {counts:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn by_backend(served: Vec<Served>) -> HashMap<String, usize> {
    served.into_iter().fold(HashMap::new(), |mut counts, one| {
        *counts.entry(one.backend).or_default() += 1;
        counts
    })
}

struct Rig {
    supervisor: Supervisor,
}

impl Rig {
    fn status(&self, id: &str) -> Arc<BackendStatus> {
        self.supervisor.snapshot().backend(id).unwrap().clone()
    }

    fn pool(&self, id: &str) -> PoolStatus {
        self.supervisor.snapshot().pools.iter().find(|pool| &*pool.id == id).unwrap().clone()
    }

    async fn until(&self, id: &str, what: &str, fits: impl Fn(&BackendStatus) -> bool) {
        let mut cell = self.supervisor.watch();
        let met = cell.wait_for(|now| now.backend(id).is_some_and(|backend| fits(backend)));
        assert!(
            tokio::time::timeout(LIMIT, met).await.is_ok(),
            "`{id}` never {what}: {:#?}",
            self.status(id)
        );
    }

    /// The backends that no load was kept from: nothing that a caller did wrong counts.
    fn assert_closed(&self, ids: &[&str]) {
        for id in ids {
            let breaker = self.status(id).breaker.clone();
            assert_eq!(breaker.state, BreakerState::Closed, "{id}: {breaker:?}");
        }
    }
}

/// Probes that see a hang within 3 s.
fn quick(mut config: BackendConfig) -> BackendConfig {
    config.probe.interval = Duration::from_secs(1);
    config.probe.timeout = Duration::from_secs(1);
    config.probe.fall = 2;
    config.timeouts.request = Duration::from_secs(3);
    config
}

fn pool(id: &str, members: [&str; 2]) -> PoolConfig {
    PoolConfig::new(id.parse().unwrap(), members.map(|member| member.parse().unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_two_litellm_in_a_pool() {
    let key = format!("sk-{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let (one, two) = tokio::join!(litellm::servers(&key), litellm::servers(&key));
    let (Some((mut stub, mut one)), Some((_other, two))) = (one, two) else { return };
    let proxy = FaultProxy::before(two.port).await.unwrap();
    let member = |id, port| {
        let mut config = quick(backend(id, Kind::Litellm, port));
        config.limits.slots = 4;
        config.with_key(Secret::Inline(key.as_str().into()))
    };
    let config = Config::new()
        .backend(member("one", one.port))
        .backend(member("two", proxy.port()))
        .pool(pool("llm", ["one", "two"]));
    let supervisor = Supervisor::builder().config(config).start().await.unwrap();
    supervisor.ready(Wanted::All, Duration::from_secs(20)).await.unwrap();
    let rig = Rig { supervisor };
    let known = |now: &Arc<backline::Snapshot>| now.pools.iter().any(|pool| pool.ready == 2);
    tokio::time::timeout(LIMIT, rig.supervisor.watch().wait_for(known)).await.unwrap().unwrap();
    callers_own_errors(&rig).await;
    let load = Load::begin(&rig.supervisor, "llm", 4);
    let shared =
        |counts: &HashMap<String, usize>| counts.len() == 2 && counts.values().all(|count| *count >= 5);
    load.until("both serve", shared).await;
    slowed(&load, &proxy).await;
    killed(&rig, &load, &mut one).await;
    stopped(&rig, &load, &two).await;
    answers_500(&rig, &load, &mut stub).await;
    answers_429(&rig, &load).await;
    let status = rig.pool("llm");
    assert!(status.reused * 100 >= status.leased * 80, "{status:?}");
}

/// A request that is wrong, a model that is not there, a caller that does not wait.
async fn callers_own_errors(rig: &Rig) {
    for model in ["r400", "nobody", "r400", "nobody", "r400", "nobody", "r400", "nobody"] {
        let lease = rig.supervisor.litellm("llm").await.unwrap();
        assert!(lease.chat(ChatRequest::new().model(model).user("hi")).await.is_err(), "{model}");
    }
    for _ in 0..6 {
        let lease = rig.supervisor.litellm("llm").await.unwrap();
        let chat = lease.chat(ChatRequest::new().model("hang").user("hi"));
        assert!(tokio::time::timeout(Duration::from_millis(100), chat).await.is_err());
    }
    rig.assert_closed(&["one", "two"]);
}

async fn slowed(load: &Load, proxy: &FaultProxy) {
    proxy.poison(|toxics| toxics.latency = Duration::from_millis(400));
    let count = |counts: &HashMap<String, usize>, id: &str| counts.get(id).copied().unwrap_or_default();
    // Of so many the faster one is ahead, however slow both are.
    load.until("the faster one serves more", |counts| {
        let (one, two) = (count(counts, "one"), count(counts, "two"));
        one + two >= 20 && two < one
    })
    .await;
    proxy.heal();
}

async fn killed(rig: &Rig, load: &Load, one: &mut Server) {
    let (cut, epoch) = (Instant::now(), rig.status("two").epoch);
    one.kill();
    rig.until("one", "was lost", |b| b.phase != Phase::Ready).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    nothing_after_the_first_failure(load, cut, "one");
    let reason = rig.pool("llm").routes[0].standing.clone();
    assert!(reason.starts_with("not ready, "), "{reason}");
    one.start().await;
    rig.until("one", "came back", |b| b.phase == Phase::Ready).await;
    let back = Instant::now();
    let counts = load.counts(Duration::from_secs(2)).await;
    let of = |id: &str| counts.get(id).copied().unwrap_or_default();
    // How small its share is the test in virtual time says. Here the start of one may have taken the machine's cores
    // from the other: if that one was lost or failed by it, both are cold, and nothing is gentle.
    let failed =
        load.since(back - Duration::from_secs(5)).iter().any(|one| one.backend == "two" && !one.good);
    let enough = of("one") + of("two") >= 20;
    if rig.status("two").epoch == epoch && !failed && enough {
        assert!(of("one") < of("two"), "it does not come back gently: {counts:?}");
    }
    tokio::time::sleep(Duration::from_secs(9)).await;
    load.until("it serves again", |counts| counts.get("one").is_some_and(|count| *count >= 5)).await;
}

/// What was sent before the first failure was known may fail, too; nothing is sent there after it.
fn nothing_after_the_first_failure(load: &Load, cut: Instant, id: &str) {
    let served = load.since(cut);
    let there: Vec<_> = served.iter().filter(|one| one.backend == id).collect();
    // Those that were on their way together fail together.
    assert!(there.iter().filter(|one| !one.good).count() <= 4, "{there:?}");
    assert!(served.iter().any(|one| one.good && one.backend != id), "nobody served: {served:?}");
}

async fn stopped(rig: &Rig, load: &Load, two: &Server) {
    let cut = Instant::now();
    two.stop();
    rig.until("two", "was found silent", |b| {
        b.phase != Phase::Ready || b.health == backline::model::Health::Unhealthy
    })
    .await;
    // The pool looks again a moment after this is shown.
    let known = Instant::now() + Duration::from_millis(500);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let there = load.since(known).iter().filter(|one| one.backend == "two").count();
    two.resume();
    assert_eq!(there, 0, "work went to a server that hangs");
    assert!(load.since(cut).iter().any(|one| one.good && one.backend == "one"));
    rig.until("two", "came back", |b| {
        b.phase == Phase::Ready && b.health == backline::model::Health::Healthy
    })
    .await;
}

/// The server is well; the provider behind its models is gone.
async fn answers_500(rig: &Rig, load: &Load, stub: &mut Server) {
    let cut = Instant::now();
    stub.kill();
    rig.until("one", "was set aside", |b| b.breaker.state == BreakerState::Open).await;
    let reason = rig.status("one").breaker.clone();
    assert!(reason.reason.is_some() && reason.next_trial_at.is_some(), "{reason:?}");
    assert_eq!(rig.status("one").phase, Phase::Ready, "its session is none of the breaker's business");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let failures = load.since(cut).iter().filter(|one| !one.good).count();
    assert!(failures <= 12, "{failures} requests went to a server that answers 500");
    let standing = rig.pool("llm").routes[0].standing.clone();
    assert!(standing.contains("breaker"), "{standing}");
    stub.start().await;
    rig.until("one", "was taken up again", |b| b.breaker.state == BreakerState::Closed).await;
}

/// The provider's limit is one of this server alone: it is left alone as long as it asks, and is not failing.
async fn answers_429(rig: &Rig, load: &Load) {
    let lease = rig.supervisor.litellm("one").await.unwrap();
    let fault = lease.chat(ChatRequest::new().model("r429").user("hi")).await.unwrap_err();
    drop(lease);
    let asked = fault.retry_after().expect("it says for how long");
    let told = Instant::now();
    tokio::time::sleep(asked.saturating_sub(Duration::from_secs(2))).await;
    // Those that had been given a slot before are still served.
    let late = load.since(told + Duration::from_millis(200));
    assert!(late.iter().all(|one| one.backend == "two") && !late.is_empty(), "{late:?}");
    assert_eq!(rig.status("one").breaker.state, BreakerState::Closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_two_gradio_in_a_pool() {
    let (Some(mut one), Some(mut two)) =
        (gradio::server("BACKLINE_REAL_GRADIO_6", ""), gradio::server("BACKLINE_REAL_GRADIO_6", ""))
    else {
        return;
    };
    tokio::join!(one.start(), two.start());
    let config = Config::new()
        .backend(quick(backend("one", Kind::Gradio, one.port)))
        .backend(quick(backend("two", Kind::Gradio, two.port)))
        .pool(pool("apps", ["one", "two"]));
    let supervisor = Supervisor::builder().config(config).start().await.unwrap();
    supervisor.ready(Wanted::All, Duration::from_secs(20)).await.unwrap();
    let rig = Rig { supervisor };
    tokio::time::sleep(Duration::from_secs(1)).await;
    let calls = async |count: usize| {
        let mut jobs = Vec::new();
        for _ in 0..count {
            jobs.push(rig.supervisor.run(Job::call("apps", "/unqueued", json!(["hi"]))).await.unwrap());
        }
        let mut counts = HashMap::<String, usize>::new();
        for job in jobs {
            let ended = tokio::time::timeout(LIMIT, job.outcome()).await.unwrap();
            assert_eq!(ended.state, JobState::Done, "{ended:#?}");
            assert!(
                ended.routed.as_deref().is_some_and(|routed| routed.contains("slots used")),
                "{ended:#?}"
            );
            *counts.entry(ended.backend.as_ref().unwrap().to_string()).or_default() += 1;
        }
        counts
    };
    let counts = calls(40).await;
    assert!(counts.len() == 2 && counts.values().all(|count| *count >= 5), "{counts:?}");
    let wrong = rig.supervisor.run(Job::call("apps", "/nobody", json!([]))).await.unwrap();
    assert_eq!(wrong.outcome().await.state, JobState::Failed);
    rig.assert_closed(&["one", "two"]);

    two.kill();
    rig.until("two", "was lost", |b| b.phase != Phase::Ready).await;
    assert_eq!(calls(20).await.keys().collect::<Vec<_>>(), ["one"]);
    two.start().await;
    rig.until("two", "came back", |b| b.phase == Phase::Ready).await;
    one.stop();
    rig.until("one", "was found silent", |b| b.phase != Phase::Ready).await;
    assert_eq!(calls(20).await.keys().collect::<Vec<_>>(), ["two"]);
    one.resume();
    rig.until("one", "came back", |b| b.phase == Phase::Ready).await;
    let status = rig.pool("apps");
    assert!(status.reused * 100 >= status.leased * 80, "{status:?}");
}
