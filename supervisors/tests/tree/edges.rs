//! Ends, starts and requests that meet at an awkward moment.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use backline_supervisors::{
    Branch, Bus, ChildSpec, ExitKind, NodeState, Restart, RestartDelay, SupervisorSpec,
};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, ActorStatus};
use tokio::{sync::Notify, task::JoinSet};

use crate::rig::{Do, Log, OnStop, Worker, start, tell, until, worker};

fn deaf(name: &'static str, log: &Log) -> ChildSpec {
    let log = log.clone();
    ChildSpec::actor(name, move || (Worker { name, log: log.clone(), on_stop: OnStop::Stall }, ()))
}

async fn gone(cell: &ActorCell) {
    cell.wait(Some(Duration::from_secs(10))).await.expect("the actor ends");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_spin_while_one_child_waits_out_its_backoff_and_another_is_slow_to_stop() {
    let log = Log::default();
    let delay = RestartDelay {
        base: Duration::from_secs(2),
        cap: Duration::from_secs(2),
        calm: Duration::from_secs(60),
    };
    let spec = SupervisorSpec::new("root")
        .intensity(100, Duration::from_secs(60))
        .child(worker("a", &log).delay(delay))
        .child(deaf("deaf", &log).shutdown(Duration::from_secs(7)));
    let (bus, root) = start(spec).await;
    // The first restart comes at once, the second after a wait.
    tell(&root, "a", Do::Panic);
    until(&bus, &root, |tree| {
        tree.child("a").unwrap().incarnation == 2 && tree.child("a").unwrap().is_running()
    })
    .await;
    tell(&root, "a", Do::Panic);
    until(&bus, &root, |tree| tree.child("a").unwrap().state == NodeState::Waiting).await;
    let begun = tokio::time::Instant::now();
    root.shutdown(Duration::from_secs(60)).await;
    assert_eq!(begun.elapsed().as_secs(), 7);
}

#[tokio::test]
async fn dropping_the_root_ends_even_a_child_that_is_stuck_in_its_own_cleanup() {
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    let log = Log::default();
    let bus = Bus::new();
    let nested = Branch::new(&bus, SupervisorSpec::new("nested").child(deaf("deep", &log)));
    let root = Branch::new(&bus, SupervisorSpec::new("root").child(nested.child()));
    let root = root.start_root().await.unwrap();
    until(&bus, &root, |tree| tree.child("nested/deep").is_some_and(|c| c.is_running())).await;
    let deep = nested.cell("deep").unwrap();
    nested.restart("deep").await.unwrap();
    while deep.get_status() != ActorStatus::Stopping {
        tokio::task::yield_now().await;
    }
    drop(root);
    gone(&deep).await;
    let ended = async {
        while metrics.num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    };
    let left = tokio::time::timeout(Duration::from_secs(10), ended).await;
    assert!(left.is_ok(), "{} tasks are left", metrics.num_alive_tasks() - before);
}

#[tokio::test(start_paused = true)]
async fn an_actor_whose_start_is_given_up_after_it_was_spawned_is_not_left_running() {
    let log = Log::default();
    let (_, root) = start(SupervisorSpec::new("root").child(worker("a", &log))).await;
    let spawned: Arc<Mutex<Option<ActorCell>>> = Arc::default();
    let ready = Arc::new(Notify::new());
    let (seen, told) = (spawned.clone(), ready.clone());
    let slow = ChildSpec::new("slow", move |context| {
        let (seen, told, log) = (seen.clone(), told.clone(), log.clone());
        async move {
            let worker = Worker { name: "slow", log, on_stop: OnStop::End };
            let (actor, _task) = Actor::spawn_linked(None, worker, (), context.supervisor).await?;
            *seen.lock().unwrap() = Some(actor.get_cell());
            told.notify_one();
            std::future::pending::<()>().await;
            Ok(actor.get_cell())
        }
    });
    root.add(slow).await.unwrap();
    ready.notified().await;
    root.remove("slow").await.unwrap();
    let cell = spawned.lock().unwrap().clone().unwrap();
    gone(&cell).await;
    assert!(root.snapshot().child("a").unwrap().is_running(), "a sibling was taken for the one left over");
}

#[tokio::test(start_paused = true)]
async fn children_that_crash_before_their_start_is_reported_are_all_heard() {
    struct Stillborn;
    impl Actor for Stillborn {
        type Msg = ();
        type State = ();
        type Arguments = ();
        async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }
        async fn post_start(&self, _: ActorRef<()>, (): &mut ()) -> Result<(), ActorProcessingErr> {
            Err("stillborn".into())
        }
    }
    let (bus, root) = start(SupervisorSpec::new("root").child(worker("a", &Log::default()))).await;
    let mut adding = JoinSet::new();
    for n in 0..200 {
        let child = ChildSpec::actor(format!("s{n}"), || (Stillborn, ())).restart(Restart::Temporary);
        let root = root.branch().clone();
        adding.spawn(async move { root.add(child).await });
    }
    assert!(adding.join_all().await.into_iter().all(|added| added.is_ok()));
    until(&bus, &root, |tree| {
        let ended = tree.children.iter().filter(|c| c.state == NodeState::Ended);
        ended.filter(|c| c.last_exit.as_ref().is_some_and(|e| e.kind == ExitKind::Failed)).count() == 200
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_deadline_without_end_is_no_overflow() {
    let log = Log::default();
    let spec = SupervisorSpec::new("root").child(worker("a", &log).shutdown(Duration::MAX));
    let (_, root) = start(spec).await;
    assert!(root.shutdown(Duration::from_secs(60)).await.clean);
    assert_eq!(*log.lock().unwrap(), ["+a", "-a"]);
}
