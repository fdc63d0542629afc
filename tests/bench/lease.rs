//! What a lease costs: `cargo bench --bench lease`.
//!
//! Each row is a median over rounds whose variants are shuffled, beside a peer in the same round: tokio's owned
//! semaphore permit, which is fair and does nothing else. A row of the peer against itself (A/A) shows how far the
//! machine can be trusted. Promised: a free slot in at most 150 ns on a quiet machine; 64 tasks on 8 slots at most 1.3
//! times the semaphore.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark reports, and stops where it cannot"
)]
#![expect(clippy::disallowed_types, reason = "the time of the wall is what is measured")]

mod memory;

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use backline::{
    Supervisor, Wanted,
    config::{BackendConfig, Config, PoolConfig},
    model::Kind,
    net::Address,
};
use tokio::{runtime::Builder, sync::Semaphore, task::JoinSet};

const ROUNDS: usize = 31;
const FREE: usize = 20_000;
const TASKS: usize = 64;
const TURNS: usize = 200;

fn main() {
    let one = Builder::new_current_thread().enable_all().build().unwrap();
    one.block_on(async {
        let world = world(8).await;
        let semaphore = Arc::new(Semaphore::new(8));
        println!("one task, a free slot; ns a lease, median of {ROUNDS} rounds");
        let mut rows = Rows::new(&["semaphore", "semaphore again", "by id", "pool of two", "capability"]);
        for round in 0..ROUNDS {
            for at in rows.shuffled(round) {
                let took = match at {
                    0 | 1 => timed(FREE, async || drop(semaphore.clone().acquire_owned().await)).await,
                    2 => timed(FREE, async || drop(world.lease("a").await)).await,
                    3 => timed(FREE, async || drop(world.lease("both").await)).await,
                    _ => timed(FREE, async || drop(world.lease("text.chat").await)).await,
                };
                rows.push(at, took);
            }
        }
        rows.print();
        world.shutdown(Duration::from_secs(1)).await;
    });
    let two = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    two.block_on(async {
        let world = Arc::new(world(4).await);
        let semaphore = Arc::new(Semaphore::new(8));
        println!(
            "{TASKS} tasks, 8 slots; ns a lease, median of {ROUNDS} rounds; the 99th percentile of waits"
        );
        let mut rows = Rows::new(&["semaphore", "semaphore again", "pool of two"]);
        let mut waits = vec![Vec::new(); 3];
        for round in 0..ROUNDS {
            for at in rows.shuffled(round) {
                let (took, wait) = match at {
                    0 | 1 => {
                        let semaphore = semaphore.clone();
                        crowd(move || semaphore.clone().acquire_owned()).await
                    }
                    _ => {
                        let handle = world.handle();
                        crowd(move || {
                            let handle = handle.clone();
                            async move { handle.lease("both").await.unwrap() }
                        })
                        .await
                    }
                };
                rows.push(at, took);
                waits[at].push(wait);
            }
        }
        rows.print();
        for (name, waits) in rows.names.iter().zip(&mut waits) {
            waits.sort_unstable();
            println!("  {name:<16} p99 wait {:?}", waits[waits.len() / 2]);
        }
    });
}

/// Two backends with so many slots each, in memory.
async fn world(slots: u32) -> Supervisor {
    let backend = |name: &str, port| {
        let mut config = BackendConfig::new(name.parse().unwrap(), Kind::Openai, Address::loopback(port));
        config.limits.slots = slots;
        config
    };
    let both = PoolConfig::new("both".parse().unwrap(), ["a", "b"].map(|name| name.parse().unwrap()));
    let config = Config::new().backend(backend("a", 1)).backend(backend("b", 2)).pool(both);
    let supervisor = Supervisor::builder().config(config).connector(memory::connector).start().await.unwrap();
    supervisor.ready(Wanted::All, Duration::from_secs(10)).await.unwrap();
    let known = |now: &Arc<backline::Snapshot>| now.pools.iter().any(|pool| pool.ready == 2);
    supervisor.watch().wait_for(known).await.unwrap();
    supervisor
}

async fn timed(turns: usize, work: impl AsyncFn()) -> f64 {
    let begun = Instant::now();
    for _ in 0..turns {
        work().await;
    }
    begun.elapsed().as_nanos() as f64 / turns as f64
}

/// Many at once; nanoseconds a lease, and the 99th percentile of the waits.
async fn crowd<F, T, M>(lease: M) -> (f64, Duration)
where
    F: Future<Output = T> + Send,
    T: Send + 'static,
    M: Fn() -> F + Clone + Send + 'static,
{
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let lease = lease.clone();
        tasks.spawn(async move {
            let mut waits = Vec::with_capacity(TURNS);
            for _ in 0..TURNS {
                let asked = Instant::now();
                let held = lease().await;
                waits.push(asked.elapsed());
                tokio::task::yield_now().await;
                drop(held);
            }
            waits
        });
    }
    let mut waits: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let took = begun.elapsed().as_nanos() as f64 / (TASKS * TURNS) as f64;
    waits.sort_unstable();
    (took, waits[waits.len() * 99 / 100])
}

/// The variants of one table, the first being the peer.
struct Rows {
    names: Vec<&'static str>,
    times: Vec<Vec<f64>>,
}

impl Rows {
    fn new(names: &[&'static str]) -> Self {
        Self { names: names.to_vec(), times: vec![Vec::new(); names.len()] }
    }

    fn shuffled(&self, round: usize) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.names.len()).collect();
        fastrand::Rng::with_seed(round as u64).shuffle(&mut order);
        order
    }

    fn push(&mut self, at: usize, time: f64) {
        self.times[at].push(time);
    }

    /// The ratios are of each round, so that both met the same weather.
    fn print(&self) {
        for (at, name) in self.names.iter().enumerate() {
            let ratios = self.times[at].iter().zip(&self.times[0]).map(|(ours, peer)| ours / peer).collect();
            println!("  {name:<16} {:>8.0}   x {:.2}", median(self.times[at].clone()), median(ratios));
        }
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
