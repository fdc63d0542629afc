//! P10: a reader that never reads costs a bounded amount of memory, and is told what it missed.

use std::{sync::Arc, time::Duration};

use backline::{Lagged, sim::litellm::Options};
use futures_util::{FutureExt, StreamExt};
use tokio::task::JoinSet;

use crate::world::{Servers, chat, done, end, supervise};

/// Pieces of one answer: each is an event.
const PIECES: usize = 5_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p10_bounded_memory_a_reader_that_never_reads_is_told_and_costs_little() {
    flood(6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_p10_bounded_memory_under_a_million_events() {
    flood(200).await;
}

async fn flood(answers: usize) {
    let quick = Options { pieces: PIECES, pace: Duration::ZERO, ..Options::default() };
    let servers = Servers::with(quick).await;
    let supervisor = supervise(servers.config()).await;
    let mut idle = supervisor.events();
    done(&supervisor.run(chat("stub")).await.unwrap()).await;
    let before = resident();
    for _ in 0..answers {
        done(&supervisor.run(chat("stub")).await.unwrap()).await;
    }
    if let (Some(before), Some(now)) = (before, resident()) {
        let grown = now.saturating_sub(before) >> 20;
        assert!(grown <= 64, "{grown} MiB more after {} events", answers * PIECES);
    }
    let first = idle.next().await.unwrap();
    let Err(Lagged { missed }) = first else { panic!("nothing was missed: {first:?}") };
    assert!(missed as usize > answers * PIECES, "only {missed} were missed");
    let mut kept = Vec::new();
    while let Some(Some(event)) = idle.next().now_or_never() {
        kept.push(event.unwrap().revision);
    }
    assert!(kept.len() <= 2048, "{} events were kept for it", kept.len());
    assert!(kept.windows(2).all(|pair| pair[0] + 1 == pair[1]), "a silent gap");
}

/// What the process holds in memory, in bytes, where the system tells.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[tokio::test]
async fn p10_a_reader_that_never_reads_costs_bounded_memory_and_is_told_what_it_missed() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let mut slow = supervisor.events();
    let mut quick = supervisor.events();
    let mut reader = JoinSet::new();
    reader.spawn(async move {
        let mut seen = 0;
        while let Ok(Some(event)) = tokio::time::timeout(Duration::from_secs(1), quick.next()).await {
            assert!(event.is_ok(), "a reader that reads missed something");
            seen += 1;
        }
        seen
    });
    let mut told = 0;
    while told < 2_500 {
        let jobs: Vec<_> =
            futures_util::future::join_all((0..20).map(|_| supervisor.run(chat("stub")))).await;
        for job in jobs {
            let job = job.unwrap();
            end(&job).await;
            // Each state and each piece of text is an event.
            told += job.status().timeline.len() + 4;
        }
    }
    let Some(Err(Lagged { missed })) = slow.next().await else { panic!("nobody told the slow reader") };
    assert!(missed > 0);
    let mut kept = 0;
    while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(200), slow.next()).await {
        assert!(event.is_ok());
        kept += 1;
    }
    assert!(kept <= 1_024, "{kept} events were kept for a reader that did not read");
    assert!(reader.join_next().await.unwrap().unwrap() >= kept + missed as usize, "the readers disagree");
    assert!(Arc::strong_count(&supervisor.snapshot()) < 10, "snapshots pile up");
}
