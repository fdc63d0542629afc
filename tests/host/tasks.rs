//! What a host's process is left with.

use std::{sync::Arc, time::Duration};

use backline::{Lagged, jobs::Job};
use futures_util::StreamExt;
use serde_json::json;
use tokio::runtime::Handle;

use crate::world::{Servers, end, in_the_middle, supervise, workflow};

/// Waits until no more tasks live than before.
async fn back_to(before: usize) {
    let metrics = Handle::current().metrics();
    let gone = async {
        while metrics.num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    };
    let settled = tokio::time::timeout(Duration::from_secs(10), gone).await;
    assert!(settled.is_ok(), "{} tasks are left", metrics.num_alive_tasks() - before);
}

#[tokio::test]
async fn of_two_supervisors_in_one_process_the_dropped_one_leaves_no_task_and_the_other_notices_nothing() {
    let servers = Servers::start().await;
    // The servers' own tasks count, too: so many live while one supervisor is connected.
    let kept = supervise(servers.config()).await;
    let epochs: Vec<_> = kept.snapshot().backends.iter().map(|b| b.epoch).collect();
    let others = Servers::start().await;
    let before = Handle::current().metrics().num_alive_tasks();
    for how in 0..3 {
        let dropped = supervise(others.config()).await;
        let job = in_the_middle(&dropped, workflow(50, how)).await;
        match how {
            0 => drop(dropped),
            1 => {
                dropped.inject_panic("gradio").unwrap();
                drop(dropped);
            }
            _ => drop(dropped.shutdown(Duration::ZERO).await),
        }
        assert!(end(&job).await.state.is_end());
        // The other side's tasks end with their connections; its worker goes on with the job, as a real one would.
        others.comfyui.server().restart().await.unwrap();
        others.gradio.server().restart().await.unwrap();
        others.litellm.restart().await.unwrap();
        back_to(before).await;
    }
    let now: Vec<_> = kept.snapshot().backends.iter().map(|b| b.epoch).collect();
    assert_eq!(epochs, now);
}

#[tokio::test]
async fn p10_a_reader_that_never_reads_costs_bounded_memory_and_is_told_what_it_missed() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let mut slow = supervisor.events();
    let mut quick = supervisor.events();
    let body = json!({ "model": "stub", "messages": [{ "role": "user", "content": "x" }] });
    let reader = tokio::spawn(async move {
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
            futures_util::future::join_all((0..20).map(|_| supervisor.run(Job::chat("litellm", &body))))
                .await;
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
    assert!(reader.await.unwrap() >= kept + missed as usize, "the readers disagree");
    assert!(Arc::strong_count(&supervisor.snapshot()) < 10, "snapshots pile up");
}
