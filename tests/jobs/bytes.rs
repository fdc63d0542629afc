//! A submit to ComfyUI that is cut at any byte of its request and, sent again, at any byte of its answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use backline::{
    backends::{Attempt, Connector, Past, Session, Start, Target, comfyui::Comfyui, report::Nowhere},
    model::{Epoch, Kind, Work},
    net::Address,
    sim::comfyui::{SimComfyui, Version},
};
use futures_util::{StreamExt, stream};
use tokio::task::JoinSet;

use crate::scissors::{Cut, Scissors};

/// Submits under way at once.
const AT_ONCE: usize = 64;
/// Parts of all the pairs, each a test of its own.
const PARTS: usize = 4;

struct Rig {
    sim: SimComfyui,
    scissors: Scissors,
    session: Arc<dyn Session>,
    /// Every submit has a mark of its own, its picture's colour.
    marks: AtomicU64,
    _link: JoinSet<()>,
}

impl Rig {
    async fn start() -> Self {
        let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
        let scissors = Scissors::start(([127, 0, 0, 1], sim.server().port()).into()).await;
        let address = Address::parse(&format!("http://{}", scissors.address)).unwrap();
        let target = Target::new("b".parse().unwrap(), Kind::Comfyui, address);
        let dialed = Comfyui::new(target).unwrap().dial(Epoch::new(1)).await.unwrap();
        let mut link = JoinSet::new();
        let mut live = dialed.live;
        link.spawn(async move { while live.next().await.is_some() {} });
        Self { sim, scissors, session: dialed.session, marks: AtomicU64::new(1_000_000), _link: link }
    }

    /// Submits once with these cuts on its way, and answers how often it ran.
    async fn submit(&self, cuts: Vec<Cut>) -> u32 {
        let mark = self.marks.fetch_add(1, Relaxed);
        self.scissors.plan(mark, cuts.clone());
        let graph = format!(
            r#"{{"1":{{"class_type":"EmptyImage","inputs":{{"width":1,"height":1,"batch_size":1,"color":{mark}}}}},"2":{{"class_type":"PreviewImage","inputs":{{"images":["1",0]}}}}}}"#
        );
        let attempt = Attempt {
            work: Work::Workflow(serde_json::value::RawValue::from_string(graph).unwrap().into()),
            remote: uuid::Uuid::new_v4().to_string(),
            start: Start::Fresh,
            past: Past::default(),
        };
        let remote = attempt.remote.clone();
        let run = self.session.clone().run(attempt, Arc::new(Nowhere));
        let finished = tokio::time::timeout(Duration::from_secs(120), run).await;
        let finished = finished.unwrap_or_else(|_| panic!("no end: {cuts:?}"));
        assert_eq!(finished.unwrap_or_else(|e| panic!("{cuts:?}: {e:?}")).files.len(), 1, "{cuts:?}");
        self.sim.executions(&remote)
    }

    /// Plays pairs of a cut request and a cut answer: none is lost, none runs twice.
    async fn play(&self, pairs: impl Iterator<Item = (usize, usize)>) -> u64 {
        let played = stream::iter(pairs)
            .map(async |(request, answer)| {
                let ran = self.submit(vec![Cut::Request(request), Cut::Answer(answer)]).await;
                assert_eq!(ran, 1, "cut at {request} of the request, then at {answer} of the answer");
                1
            })
            .buffer_unordered(AT_ONCE);
        let played: u64 = played.fold(0, async |sum, one| sum + one).await;
        assert!(self.session.ended().is_none(), "the session is not at stake");
        played
    }

    /// The lengths of a request and its answer, by one that passes. A longer mark would make them longer.
    async fn lengths(&self) -> (usize, usize) {
        assert_eq!(self.submit(Vec::new()).await, 1);
        self.scissors.lengths()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_submit_cut_at_any_byte_runs_once() {
    let rig = Rig::start().await;
    let (request, answer) = rig.lengths().await;
    // Each byte of the request, and each byte of the answer, at least once.
    let pairs = (0..=request.max(answer)).map(|n| (n.min(request), n % (answer + 1)));
    let played = rig.play(pairs).await;
    eprintln!("{played} pairs of {request} by {answer} bytes, {} cuts", rig.scissors.cuts());
    // A request that arrived whole is found, and its answer is not waited for again.
    assert!(rig.scissors.cuts() >= 2 * played - 2, "{} cuts", rig.scissors.cuts());
}

async fn all_pairs(part: usize) {
    let (request, answer) = Rig::start().await.lengths().await;
    let (mut played, mut cuts) = (0, 0);
    for k in (0..=request).filter(|k| k % PARTS == part) {
        // A server of its own: one that remembers ten thousand prompts takes ever longer to say what it has.
        let rig = Rig::start().await;
        played += rig.play((0..=answer).map(|j| (k, j))).await;
        cuts += rig.scissors.cuts();
    }
    eprintln!("{played} pairs, {cuts} cuts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_all_pairs_of_bytes_first_quarter() {
    all_pairs(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_all_pairs_of_bytes_second_quarter() {
    all_pairs(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_all_pairs_of_bytes_third_quarter() {
    all_pairs(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_all_pairs_of_bytes_fourth_quarter() {
    all_pairs(3).await;
}
