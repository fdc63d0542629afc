//! Two supervisors in one process: each leaves nothing behind, and neither notices the other.

use std::time::Duration;

use backline::model::Phase;
use tokio::{
    runtime::{Handle, Runtime},
    time::Instant,
};

use crate::world::{Servers, chat, done, in_the_middle, stream, supervise, workflow};

/// The servers live in a runtime of their own, so that their tasks are not counted.
fn elsewhere() -> (Runtime, Servers) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let servers = runtime.block_on(Servers::start());
    (runtime, servers)
}

/// The least number of tasks within a time: probes come and go.
async fn least(within: Duration) -> usize {
    let tasks = Handle::current().metrics();
    let begun = Instant::now();
    let mut least = tasks.num_alive_tasks();
    while begun.elapsed() < within {
        tokio::time::sleep(Duration::from_millis(10)).await;
        least = least.min(tasks.num_alive_tasks());
    }
    least
}

/// Waits until at most so many tasks live.
async fn fall_to(count: usize) {
    let tasks = Handle::current().metrics();
    let begun = Instant::now();
    while tasks.num_alive_tasks() > count {
        let left = tasks.num_alive_tasks();
        assert!(begun.elapsed() < Duration::from_secs(2), "{left} tasks live, not {count}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn p13_a_dropped_supervisor_leaves_no_task_and_the_other_one_untouched() {
    let (_elsewhere, servers) = elsewhere();
    let host = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    host.block_on(async {
        let before = Handle::current().metrics().num_alive_tasks();
        let kept = supervise(servers.config()).await;
        done(&kept.run(workflow(1, 1)).await.unwrap()).await;
        let alone = least(Duration::from_secs(1)).await;
        assert!(alone > before + 5, "nothing is running");
        let epochs = || kept.snapshot().backends.iter().map(|b| b.epoch).collect::<Vec<_>>();
        let untouched = epochs();

        let dropped = supervise(servers.config()).await;
        let render = in_the_middle(&dropped, workflow(100, 2)).await;
        let (_call, _talk) = (dropped.run(stream(100)).await.unwrap(), dropped.run(chat("hang")).await);
        assert!(Handle::current().metrics().num_alive_tasks() > alone + 5);
        let handle = dropped.handle();
        drop(dropped);
        fall_to(alone).await;
        assert!(render.status().state.is_end(), "it looks as if it ran on");
        assert!(handle.run(workflow(1, 3)).await.is_err());
        let shown = handle.snapshot();
        assert!(shown.backends.iter().all(|b| b.phase == Phase::Closed), "{:#?}", shown.backends);

        assert_eq!(epochs(), untouched);
        done(&kept.run(chat("stub")).await.unwrap()).await;
        drop(kept);
        fall_to(before).await;
    });
}

#[test]
fn p13_a_supervisor_that_shut_down_has_left_no_task_when_it_says_so() {
    let (_elsewhere, servers) = elsewhere();
    let host = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    host.block_on(async {
        let before = Handle::current().metrics().num_alive_tasks();
        let supervisor = supervise(servers.config()).await;
        done(&supervisor.run(stream(2)).await.unwrap()).await;
        let report = supervisor.shutdown(Duration::from_secs(5)).await;
        assert!(report.clean && report.unfinished.is_empty(), "{report:?}");
        // Connections of the HTTP client end by themselves once their client is gone.
        fall_to(before).await;
    });
}
