//! A submit to ComfyUI that is cut at any byte of its request and, sent again, at any byte of its answer.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use backline::{
    backends::{Attempt, Connector, Past, Session, Sign, Start, Target, comfyui::Comfyui},
    model::{Epoch, Kind, Work},
    net::Address,
    sim::comfyui::{SimComfyui, Version},
};
use futures_util::{StreamExt, stream};
use tokio::task::JoinSet;

use crate::{
    scissors::{Cut, Scissors},
    trail::Trail,
};

/// Submits under way at once at one server. It tells of all that wait whoever looks for one: the more there are, the
/// more work is each.
const AT_ONCE: usize = 16;
/// Servers at work at once. Most of a submit is the wait between two looks that prove an absence: so many keep a core
/// busy, and more would only be looked after more often.
const SERVERS: usize = 12;
/// Parts of all the pairs, each a test of its own.
const PARTS: usize = 4;
/// Digits that the number of a prompt, which its answer tells, has beside the first.
const MORE_DIGITS: usize = 2;
/// Longest time for one submit: a hang and nothing else meets it, not even where a core is shared by a hundred.
const LONGEST: Duration = Duration::from_secs(300);

struct Rig {
    sim: SimComfyui,
    scissors: Scissors,
    session: Arc<dyn Session>,
    /// Every submit has a mark of its own, its picture's colour.
    marks: AtomicU64,
    /// What its live channel last said of itself.
    signs: Arc<Mutex<Vec<Sign>>>,
    _link: JoinSet<()>,
}

impl Rig {
    async fn start() -> Self {
        let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
        let scissors = Scissors::start(([127, 0, 0, 1], sim.server().port()).into()).await;
        let address = Address::parse(&format!("http://{}", scissors.address)).unwrap();
        let target = Target::new("b".parse().unwrap(), Kind::Comfyui, address);
        let dialed = Comfyui::new(target).unwrap().dial(Epoch::new(1)).await.unwrap();
        let (mut live, session) = (dialed.live, dialed.session.clone());
        let signs = Arc::<Mutex<Vec<Sign>>>::default();
        let heard = signs.clone();
        let mut link = JoinSet::new();
        link.spawn(async move {
            while let Some(sign) = live.next().await {
                match &sign {
                    Sign::Queue(_) => continue,
                    Sign::Lost(fault) => session.end(fault.clone()),
                    _ => {}
                }
                heard.lock().unwrap().push(sign);
            }
        });
        Self { sim, scissors, session: dialed.session, marks: AtomicU64::new(1_000_000), signs, _link: link }
    }

    /// Submits once with these cuts on its way: it runs once, and its file is told.
    async fn submit(&self, cuts: &[Cut]) {
        let mark = self.marks.fetch_add(1, Relaxed);
        let trail = Trail::new();
        self.scissors.plan(mark, cuts, &trail);
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
        let run = trail.of(self.session.clone().run(attempt, Arc::new(trail.clone())));
        let ended = tokio::time::timeout(LONGEST, run).await;
        let ran = self.sim.executions(&remote);
        if !matches!(&ended, Ok(Ok(finished)) if finished.files.len() == 1) || ran != 1 {
            panic!("{cuts:?} ran {ran} times; {ended:?}\n{}", self.account(&remote, &trail).await);
        }
        self.scissors.forget(mark);
    }

    /// What there is to know of a submit that went wrong.
    async fn account(&self, remote: &str, trail: &Trail) -> String {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        let mut account = format!("the submit:\n{}", trail.text());
        for path in [format!("history/{remote}"), "queue".to_owned()] {
            // Not by way of the scissors.
            let url = format!("http://127.0.0.1:{}/{path}", self.sim.server().port());
            let says = async { http.get(url).send().await?.text().await };
            account += &format!("its server, asked for {path}: {:.2000}\n", format!("{:?}", says.await));
        }
        let told = self.sim.told(remote);
        account
            + &format!(
                "its success was told: {told}\nthe live channel: {:?}\nthe session's end: {:?}",
                self.signs.lock().unwrap(),
                self.session.ended()
            )
    }

    /// The lengths of a request and its answer, by one that passes. A longer mark would make them longer.
    async fn lengths(&self) -> (usize, usize) {
        self.submit(&[]).await;
        self.scissors.lengths()
    }
}

/// Pairs of a byte of a request and one of an answer.
type Pairs = Vec<(usize, usize)>;

/// Plays pairs at a server of their own: a request cut there and, sent again, its answer. None is lost, none runs twice.
/// Answers with the number of cuts.
async fn play(pairs: Pairs) -> u64 {
    let rig = Rig::start().await;
    let submits = pairs.iter().map(async |(request, answer)| {
        rig.submit(&[Cut::Request(*request), Cut::Answer(*answer)]).await;
    });
    stream::iter(submits).buffer_unordered(AT_ONCE).collect::<()>().await;
    // What had arrived twice would run before one that comes last.
    rig.submit(&[]).await;
    assert_eq!(rig.sim.all_executions() as usize, pairs.len() + 1, "executions");
    assert!(rig.session.ended().is_none(), "the session is not at stake");
    rig.scissors.cuts()
}

/// Plays all of these, and says how many there were. A server that remembers ten thousand prompts takes ever longer to
/// say what it has: each has a few hundred.
async fn play_all(parts: impl Iterator<Item = Pairs>, whole: usize) {
    let (mut played, mut arrived) = (0, 0);
    let parts = parts.inspect(|pairs| {
        played += pairs.len() as u64;
        // A request that arrived whole may be found, and its answer is not waited for again then.
        arrived += pairs.iter().filter(|(request, _)| *request == whole).count() as u64;
    });
    let cuts = stream::iter(parts).map(play).buffer_unordered(SERVERS);
    let cuts: u64 = cuts.fold(0, async |sum, cuts| sum + cuts).await;
    eprintln!("{played} pairs, {cuts} cuts");
    assert!((2 * played - arrived..=2 * played).contains(&cuts), "{cuts} cuts, {arrived} whole requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_submit_cut_at_any_byte_runs_once() {
    let (request, answer) = Rig::start().await.lengths().await;
    // Each byte of the request with two of the answer, and each of the answer with a few of the request.
    let pairs = (0..=request).flat_map(|n| [n, n + answer / 2].map(|m| (n, m % (answer + 1))));
    let pairs: Pairs = pairs.collect();
    play_all(pairs.chunks(64).map(<[_]>::to_vec), request).await;
}

/// A connection takes four sockets here, and hundreds are open on a busy machine: more than many a shell allows at first.
#[cfg(unix)]
fn allow_sockets() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = Some(maximum.unwrap_or(u64::MAX).min(8_192));
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
}

async fn all_pairs(part: usize) {
    #[cfg(unix)]
    allow_sockets();
    let (request, answer) = Rig::start().await.lengths().await;
    let requests = (0..=request).filter(|k| k % PARTS == part);
    play_all(requests.map(|k| (0..=answer + MORE_DIGITS).map(|j| (k, j)).collect()), request).await;
}

// One thread each: two would mostly wait for each other.

#[tokio::test]
async fn slow_all_pairs_of_bytes_first_quarter() {
    all_pairs(0).await;
}

#[tokio::test]
async fn slow_all_pairs_of_bytes_second_quarter() {
    all_pairs(1).await;
}

#[tokio::test]
async fn slow_all_pairs_of_bytes_third_quarter() {
    all_pairs(2).await;
}

#[tokio::test]
async fn slow_all_pairs_of_bytes_fourth_quarter() {
    all_pairs(3).await;
}
