//! What a thousand backends and ten thousand jobs cost the API: `cargo bench --bench load`. It reports; nothing is
//! asserted of the time.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark reports, and stops where it cannot"
)]
#![expect(clippy::disallowed_types, reason = "the time of the wall is what is measured")]

use std::time::{Duration, Instant};

use backline::{
    Supervisor,
    config::{BackendConfig, Config},
    http::{Access, Token, listen},
    jobs::Job,
    model::{Code, Kind, Severity},
    net::Address,
    notices::Draft,
};
use serde_json::json;

const BACKENDS: u16 = 1_000;
const JOBS: u32 = 10_000;
const TOKEN: &str = "a-token-of-sixteen-letters";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let backend = |n: u16| {
        let mut backend =
            BackendConfig::new(format!("b{n}").parse().unwrap(), Kind::Openai, Address::loopback(1));
        backend.enabled = false;
        backend
    };
    let config = (0..BACKENDS).fold(Config::new(), |config, n| config.backend(backend(n)));
    let begun = Instant::now();
    let supervisor = Supervisor::builder().config(config).start().await.unwrap();
    println!("{BACKENDS} backends started in {:?}", begun.elapsed());
    let begun = Instant::now();
    let mut taken = 0;
    for n in 0..JOBS {
        let graph = json!({ "1": { "class_type": "X", "inputs": { "n": n } } });
        if supervisor.submit(Job::workflow("b0", graph)).await.is_err() {
            break;
        }
        taken += 1;
    }
    println!("{taken} jobs accepted in {:?}", begun.elapsed());
    let listening = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let server = listening.serve(supervisor.handle(), Access::token(Token::fixed(TOKEN).unwrap()));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/api/v1/snapshot", server.address);
    let get = || async {
        let answer = client.get(&url).bearer_auth(TOKEN).send().await.unwrap();
        answer.bytes().await.unwrap().len()
    };
    println!("the snapshot is {} KiB", get().await >> 10);
    let still = times(200, &get).await;
    report("GET /snapshot, nothing changed", still);
    let desk = supervisor.desk();
    let stir = |n: usize| {
        let subject = n.to_string();
        desk.raise(Draft::new(Code::Flapping, Severity::Info).subject(&subject));
        desk.clear_subject(Code::Flapping, None, &subject);
    };
    let mut turn = 0;
    let moved = times(200, || {
        turn += 1;
        stir(turn);
        get()
    })
    .await;
    report("GET /snapshot, changed each time", moved);
    let begun = Instant::now();
    for n in 1_000..6_000 {
        stir(n);
    }
    println!("one event with its snapshot: {:?}", begun.elapsed() / 10_000);
}

async fn times<F: Future<Output = usize>>(count: usize, mut ask: impl FnMut() -> F) -> Vec<Duration> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        ask().await;
        times.push(begun.elapsed());
    }
    times.sort();
    times
}

fn report(what: &str, times: Vec<Duration>) {
    println!("{what}: median {:?}, 95 of 100 {:?}", times[times.len() / 2], times[times.len() * 95 / 100]);
}
