//! A thousand jobs for four backends that die at random: each is done once, or held for its two deaths.

use std::{sync::Arc, time::Duration};

use backline::{
    Supervisor,
    config::{BackendConfig, Config},
    jobs::Job,
    model::{JobState, JobStatus, Kind},
    net::Address,
    sim::comfyui::{SimComfyui, Version},
};
use futures_util::future::join_all;
use serde_json::json;
use tokio::task::JoinSet;

use crate::home::{Home, judge};

const JOBS: u32 = 1_000;
/// Longest time for all of them: a hang and nothing else meets it.
const ALL: Duration = Duration::from_secs(170);

fn job(nonce: u32) -> Job {
    let graph = json!({
        "1": { "class_type": "EmptyImage", "inputs": { "width": 1, "height": 1, "batch_size": 1, "color": nonce } },
        "2": { "class_type": "WireSlow", "inputs": {
            "image": ["1", 0], "steps": 3, "delay": 0.02, "preview": false, "fail_at": -1, "nonce": nonce } },
        "3": { "class_type": "SaveImage", "inputs": { "images": ["2", 0], "filename_prefix": "deaths" } },
    });
    Job::workflow("workflow.run", graph)
}

struct Field {
    sims: Vec<Arc<SimComfyui>>,
    _home: Home,
    supervisor: Supervisor,
}

impl Field {
    /// Four backends, all down.
    async fn new() -> Self {
        let mut sims = Vec::new();
        let mut config = Config::new();
        for n in 0..4 {
            let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
            sim.server().kill();
            let address = Address::loopback(sim.server().port());
            let id = format!("comfy-{n}").parse().unwrap();
            config = config.backend(BackendConfig::new(id, Kind::Comfyui, address));
            sims.push(Arc::new(sim));
        }
        let home = Home::new(config);
        let supervisor = home.start().await;
        Self { sims, _home: home, supervisor }
    }

    /// Kills and starts each of them at random, until it is dropped.
    fn plague(&self, seed: u64) -> JoinSet<()> {
        let mut plague = JoinSet::new();
        for (n, sim) in self.sims.iter().cloned().enumerate() {
            let mut dice = fastrand::Rng::with_seed(seed + n as u64);
            plague.spawn(async move {
                loop {
                    sim.server().restart().await.unwrap();
                    // A backend that dies of itself tells nobody when.
                    tokio::time::sleep(Duration::from_millis(dice.u64(500..4_000))).await;
                    sim.server().kill();
                    tokio::time::sleep(Duration::from_millis(dice.u64(20..300))).await;
                }
            });
        }
        plague
    }

    /// The ends of a thousand jobs, with their priorities, in the order of acceptance.
    async fn play(&self, hold_after: Option<u32>) -> Vec<(i32, Arc<JobStatus>)> {
        let seed = fastrand::u64(..u64::MAX / 2);
        eprintln!("seed {seed}");
        let mut dice = fastrand::Rng::with_seed(seed);
        let priorities: Vec<i32> = (0..JOBS).map(|_| dice.i32(0..5)).collect();
        let submits = (0..JOBS)
            .zip(&priorities)
            .map(|(n, priority)| self.supervisor.submit(job(n).priority(*priority).hold_after(hold_after)));
        let jobs: Vec<_> = join_all(submits).await.into_iter().map(|s| s.unwrap().job).collect();
        let _plague = self.plague(seed);
        let all = join_all(jobs.iter().map(|job| job.outcome()));
        let ended = tokio::time::timeout(ALL, all).await.unwrap_or_else(|_| {
            let open: Vec<_> = jobs.iter().map(|j| j.status()).filter(|s| !s.state.is_end()).collect();
            panic!("{} jobs have no end; the first: {:#?}", open.len(), open.first())
        });
        priorities.into_iter().zip(ended).collect()
    }

    fn check(&self, ended: &[(i32, Arc<JobStatus>)]) {
        in_order(ended);
        let ended: Vec<_> = ended.iter().map(|(_, status)| status).collect();
        ended.iter().for_each(|status| judge(status));
        let count = |state| ended.iter().filter(|s| s.state == state).count();
        let (done, held) = (count(JobState::Done), count(JobState::Held));
        let attempts: u32 = ended.iter().map(|s| s.attempts).sum();
        let ran: u32 = self.sims.iter().map(|sim| *sim.ended().borrow()).sum();
        eprintln!("{done} done, {held} held, {attempts} attempts, {ran} executions that ended");
        let other = ended.iter().find(|s| !matches!(s.state, JobState::Done | JobState::Held));
        assert!(other.is_none(), "neither done nor held: {other:#?}");
        assert!(ran as usize >= done, "executions that ended");
        // No execution whose end was told ran again. One can end and die before anybody is told.
        for status in &ended {
            let ids = executions(status);
            let told = ids.iter().map(|id| self.sims.iter().any(|sim| sim.told(id)));
            let earlier = told.rev().skip(1).any(|told| told);
            assert!(!earlier, "it had ended, and was run again: {status:#?}");
        }
        assert!(attempts > JOBS, "nothing died under a job");
    }
}

/// The ids under which a job was sent, in order.
fn executions(status: &JobStatus) -> Vec<String> {
    let sent = status.timeline.iter().filter_map(|step| step.evidence.split_once("to be sent as "));
    sent.map(|(_, id)| id.to_owned()).collect()
}

/// By priority, as they were first sent. Turns that lie close together may be written down in another order.
fn in_order(ended: &[(i32, Arc<JobStatus>)]) {
    let first = |s: &JobStatus| s.timeline.iter().find(|step| step.state == JobState::Sent).unwrap().at;
    let mut turns: Vec<_> =
        ended.iter().map(|(priority, status)| (first(status), *priority, status)).collect();
    turns.sort_by_key(|turn| turn.0);
    for pair in turns.chunks(16).collect::<Vec<_>>().windows(2) {
        let early = pair[0].iter().min_by_key(|turn| turn.1).unwrap();
        let late = pair[1].iter().max_by_key(|turn| turn.1).unwrap();
        assert!(
            late.1 <= early.1 + 1,
            "of two jobs the one with the higher priority was sent long after the other: {:#?}\n{:#?}",
            (late.1, late.2),
            (early.1, early.2),
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_without_holding_a_thousand_jobs_are_done_once_each() {
    let field = Field::new().await;
    let ended = field.play(None).await;
    field.check(&ended);
    assert!(ended.iter().all(|(_, s)| s.state == JobState::Done));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_with_holding_a_thousand_jobs_are_done_once_each_or_held_for_their_deaths() {
    let field = Field::new().await;
    let ended = field.play(Some(2)).await;
    field.check(&ended);
    for (_, held) in ended.iter().filter(|(_, s)| s.state == JobState::Held) {
        let said = held.error.as_ref().unwrap().message().to_owned();
        let deaths = held.timeline.iter().filter(|step| step.evidence.contains("its backend died")).count();
        assert!(said.contains("died 2 times") && deaths >= 2, "its deaths are not named: {held:#?}");
    }
}
