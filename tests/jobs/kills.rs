//! Our own process is killed at random under a stream of submits with keys.

use std::{collections::BTreeMap, time::Duration};

use backline::sim::comfyui::{SimComfyui, Version};
use tokio::time::Instant;

use crate::child::Process;

/// What a client knows: the job behind each key that was acknowledged.
#[derive(Default)]
struct Client {
    known: BTreeMap<u32, String>,
    asked: u32,
}

impl Client {
    /// What the process said: a key stands for one job, whoever asks and whenever.
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["ok", number, id] => {
                let first = self.known.entry(number.parse().unwrap()).or_insert_with(|| id.to_owned());
                assert_eq!(first, id, "the key {number} stands for two jobs");
            }
            ["err", ..] => panic!("refused: {line}"),
            _ => {}
        }
    }

    /// A few submits: new ones, and some that were made before.
    fn ask(&mut self, process: &mut Process, dice: &mut fastrand::Rng) {
        for _ in 0..dice.u32(1..4) {
            process.say(&format!("submit {}", self.asked));
            self.asked += 1;
            if dice.bool() {
                process.say(&format!("submit {}", dice.u32(0..self.asked)));
            }
        }
    }
}

/// Kills so often, or for so long, and then holds the client's knowledge against the backend's.
async fn play(kills: u32, time: Duration) {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let (port, directory) = (sim.server().port(), tempfile::tempdir().unwrap());
    let state = directory.path().join("state");
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let played = tokio::task::spawn_blocking(move || {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut client = Client::default();
        let begun = Instant::now();
        let mut killed = 0;
        while killed < kills && begun.elapsed() < time {
            let mut process = Process::start(&state, port);
            while process.hear().expect("it begins") != "begun" {}
            client.ask(&mut process, &mut dice);
            // Somewhere between the submit, its commit, its sending, and its end.
            std::thread::sleep(Duration::from_micros(dice.u64(0..60_000)));
            process.kill().iter().for_each(|line| client.hear(line));
            killed += 1;
        }
        (state, client, killed)
    });
    let (state, client, killed) = played.await.unwrap();
    eprintln!("{killed} kills, {} keys, {} acknowledged before", client.asked, client.known.len());
    // A client that repeats every key gets every job's end.
    let ends = tokio::task::spawn_blocking(move || ends(&state, port, client)).await.unwrap();
    let executions = sim.all_executions();
    assert_eq!(executions, ends, "each key ran once");
}

/// The number of jobs that ended, each in one state, as its first acknowledgement said.
fn ends(state: &std::path::Path, port: u16, client: Client) -> u32 {
    let mut process = Process::start(state, port);
    while process.hear().expect("it begins") != "begun" {}
    (0..client.asked).for_each(|number| process.say(&format!("end {number}")));
    let mut ended = BTreeMap::new();
    while ended.len() < client.asked as usize {
        let line = process.hear().unwrap_or_else(|| panic!("{} of {} ended", ended.len(), client.asked));
        let words: Vec<&str> = line.split(' ').collect();
        let ["end", number, id, state, attempts, outputs] = words[..] else { continue };
        assert_eq!((state, attempts, outputs), ("done", "1", "1"), "{line}");
        let number: u32 = number.parse().unwrap();
        assert!(client.known.get(&number).is_none_or(|first| first == id), "another job: {line}");
        assert!(ended.insert(number, id.to_owned()).is_none(), "twice: {line}");
    }
    process.kill();
    client.asked
}

#[tokio::test]
async fn every_acknowledged_job_ends_once_under_kills_of_our_process() {
    play(u32::MAX, Duration::from_secs(15)).await;
}

#[tokio::test]
async fn slow_every_acknowledged_job_ends_once_under_five_hundred_kills() {
    play(500, Duration::MAX).await;
}
