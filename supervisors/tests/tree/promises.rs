//! What the crate page promises.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use backline_supervisors::{
    Branch, Bus, ChildSpec, ExitKind, NodeState, OnIntensity, Restart, Strategy, SupervisorError,
    SupervisorSpec, TreeEventKind,
};
use ractor::{Actor, ActorRef};

use crate::rig::{Do, Log, OnStop, Worker, all_running, start, tell, until, worker};

#[tokio::test(start_paused = true)]
async fn stopping_runs_every_childs_own_cleanup_in_reverse_order() {
    let log = Log::default();
    let spec = SupervisorSpec::new("root")
        .child(worker("a", &log))
        .child(worker("b", &log))
        .child(worker("c", &log));
    let (_, root) = start(spec).await;
    let report = root.shutdown(Duration::from_secs(60)).await;
    assert!(report.clean);
    assert_eq!(*log.lock().unwrap(), ["+a", "+b", "+c", "-c", "-b", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_ignores_its_stop_is_killed_at_its_own_deadline() {
    let log = Log::default();
    let stuck = log.clone();
    let deaf = ChildSpec::actor("deaf", move || {
        (Worker { name: "deaf", log: stuck.clone(), on_stop: OnStop::Stall }, ())
    });
    let spec =
        SupervisorSpec::new("root").child(worker("a", &log)).child(deaf.shutdown(Duration::from_secs(7)));
    let (_, root) = start(spec).await;
    let begun = tokio::time::Instant::now();
    let report = root.shutdown(Duration::from_secs(60)).await;
    assert_eq!((report.clean, report.left), (false, vec!["deaf".to_owned()]));
    assert_eq!(begun.elapsed().as_secs(), 7);
    assert_eq!(*log.lock().unwrap(), ["+a", "+deaf", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn a_killed_transient_child_is_restarted_and_one_that_ended_well_is_not() {
    let log = Log::default();
    let spec = SupervisorSpec::new("root")
        .child(worker("killed", &log).restart(Restart::Transient))
        .child(worker("done", &log).restart(Restart::Transient));
    let (bus, root) = start(spec).await;
    root.cell("killed").unwrap().kill();
    tell(&root, "done", Do::End);
    until(&bus, &root, |tree| {
        let killed = tree.child("killed").unwrap();
        killed.restarts == 1 && killed.is_running() && tree.child("done").unwrap().state == NodeState::Ended
    })
    .await;
    assert_eq!(root.snapshot().child("killed").unwrap().last_exit.clone().unwrap().kind, ExitKind::Killed);
}

#[tokio::test(start_paused = true)]
async fn a_panic_and_an_error_are_both_restarted_and_touch_no_sibling() {
    let log = Log::default();
    let (bus, root) =
        start(SupervisorSpec::new("root").child(worker("a", &log)).child(worker("b", &log))).await;
    for (restarts, what) in [(1, Do::Panic), (2, Do::Fail)] {
        tell(&root, "a", what);
        until(&bus, &root, |tree| tree.child("a").unwrap().restarts == restarts && all_running(tree)).await;
    }
    assert_eq!(root.snapshot().child("b").unwrap().incarnation, 1);
}

#[tokio::test(start_paused = true)]
async fn a_child_removed_while_it_waits_out_its_backoff_stays_gone() {
    let log = Log::default();
    let (bus, root) =
        start(SupervisorSpec::new("root").intensity(100, Duration::from_secs(60)).child(worker("a", &log)))
            .await;
    // The first restart comes at once, later ones after a wait.
    let mut events = bus.events();
    loop {
        if let Some(cell) = root.cell("a") {
            let _ = ActorRef::<Do>::from(cell).cast(Do::Panic);
        }
        let event = events.recv().await.unwrap();
        if matches!(event.kind, TreeEventKind::Restarting(wait) if wait > Duration::from_millis(20)) {
            break;
        }
    }
    until(&bus, &root, |tree| tree.child("a").unwrap().state == NodeState::Waiting).await;
    root.remove("a").await.unwrap();
    let starts = log.lock().unwrap().len();
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert!(root.snapshot().child("a").is_none());
    assert_eq!(log.lock().unwrap().len(), starts, "it was started after it was removed");
    assert_eq!(root.remove("a").await, Err(SupervisorError::UnknownChild("a".into())));
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_id_is_refused_and_harms_nobody() {
    let log = Log::default();
    let (_, root) = start(SupervisorSpec::new("root").child(worker("a", &log))).await;
    assert_eq!(root.add(worker("a", &log)).await, Err(SupervisorError::DuplicateId("a".into())));
    assert_eq!(root.snapshot().child("a").unwrap().incarnation, 1);
    assert_eq!(*log.lock().unwrap(), ["+a"]);
    tell(&root, "a", Do::End);
}

#[tokio::test(start_paused = true)]
async fn a_slow_start_does_not_make_the_supervisor_deaf_and_a_late_one_counts_as_a_crash() {
    let log = Log::default();
    let (bus, root) = start(SupervisorSpec::new("root").child(worker("quick", &log))).await;
    let slow = ChildSpec::new("slow", |_| async { std::future::pending().await }).restart(Restart::Temporary);
    root.add(slow).await.unwrap();
    let begun = tokio::time::Instant::now();
    root.add(worker("other", &log)).await.unwrap();
    root.remove("quick").await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "it was deaf for {:?}", begun.elapsed());
    until(&bus, &root, |tree| tree.child("slow").unwrap().state == NodeState::Ended).await;
    assert_eq!(root.snapshot().child("slow").unwrap().last_exit.clone().unwrap().kind, ExitKind::NotStarted);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_or_panics_counts_like_a_crash() {
    let tries = Arc::new(AtomicU32::new(0));
    let (count, log) = (tries.clone(), Log::default());
    let moody = ChildSpec::new("moody", move |context| {
        let (turn, log) = (count.fetch_add(1, Ordering::SeqCst), log.clone());
        async move {
            match turn {
                0 => Err("no".into()),
                1 => panic!("a bug in the start"),
                _ => {
                    let worker = Worker { name: "moody", log, on_stop: OnStop::End };
                    Ok(Actor::spawn_linked(None, worker, (), context.supervisor).await?.0.get_cell())
                }
            }
        }
    });
    let (_, root) = start(SupervisorSpec::new("root").child(moody)).await;
    let shown = root.snapshot().child("moody").unwrap().clone();
    assert_eq!((shown.restarts, tries.load(Ordering::SeqCst)), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn one_for_all_and_rest_for_one_restart_their_groups_in_order() {
    for (strategy, order) in [
        (Strategy::OneForAll, &["-c", "-a", "+a", "+b", "+c"][..]),
        (Strategy::RestForOne, &["-c", "+b", "+c"][..]),
    ] {
        let log = Log::default();
        let spec = SupervisorSpec::new("root").strategy(strategy);
        let spec = spec.child(worker("a", &log)).child(worker("b", &log)).child(worker("c", &log));
        let (bus, root) = start(spec).await;
        log.lock().unwrap().clear();
        tell(&root, "b", Do::Panic);
        until(&bus, &root, |tree| tree.child("b").unwrap().restarts == 1 && all_running(tree)).await;
        assert_eq!(*log.lock().unwrap(), order, "{strategy:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn past_its_intensity_a_supervisor_gives_up_and_names_the_child() {
    let log = Log::default();
    let spec = SupervisorSpec::new("root").intensity(2, Duration::from_secs(60));
    let (bus, root) = start(spec.child(worker("a", &log)).child(worker("b", &log))).await;
    for restarts in 1..=2 {
        tell(&root, "a", Do::Panic);
        until(&bus, &root, |tree| tree.child("a").unwrap().restarts == restarts && all_running(tree)).await;
    }
    tell(&root, "a", Do::Panic);
    let report = root.closed().await;
    assert_eq!((report.child.as_str(), report.exit.kind), ("a", ExitKind::Failed));
    assert!(log.lock().unwrap().contains(&"-b".to_owned()), "the sibling was not stopped in order");
}

#[tokio::test(start_paused = true)]
async fn a_nested_supervisor_that_gives_up_is_restarted_by_its_parent_with_the_children_wanted_now() {
    let log = Log::default();
    let bus = Bus::new();
    let wanted: Arc<Mutex<Vec<&'static str>>> = Arc::new(Mutex::new(vec!["x"]));
    let (names, logs) = (wanted.clone(), log.clone());
    let nested = SupervisorSpec::new("nested")
        .intensity(0, Duration::from_secs(60))
        .wanted(move || names.lock().unwrap().iter().map(|name| worker(name, &logs)).collect());
    let nested = Branch::new(&bus, nested);
    let root =
        Branch::new(&bus, SupervisorSpec::new("root").child(nested.child())).start_root().await.unwrap();
    until(&bus, &root, |tree| tree.child("nested/x").is_some_and(|x| x.is_running())).await;
    *wanted.lock().unwrap() = vec!["y"];
    ActorRef::<Do>::from(nested.cell("x").unwrap()).cast(Do::Panic).unwrap();
    until(&bus, &root, |tree| tree.child("nested/y").is_some_and(|y| y.is_running())).await;
    assert!(root.snapshot().child("nested/x").is_none());
    nested.add(worker("z", &log)).await.unwrap();
    until(&bus, &root, |tree| tree.child("nested/z").is_some_and(|z| z.is_running())).await;
    log.lock().unwrap().clear();
    assert!(root.shutdown(Duration::from_secs(9)).await.clean);
    assert_eq!(*log.lock().unwrap(), ["-z", "-y"], "a nested supervisor stops its children in order, too");
    assert_eq!(nested.add(worker("late", &log)).await, Err(SupervisorError::Restarting("nested".into())));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_keeps_crashing_is_quarantined_told_and_released() {
    let log = Log::default();
    let downs = Arc::new(Mutex::new(Vec::new()));
    let told = downs.clone();
    let poison = worker("poison", &log).on_intensity(OnIntensity::QUARANTINE).on_down(move |down| {
        told.lock().unwrap().push(format!("{:?}", down.next).split('(').next().unwrap().to_owned())
    });
    let (bus, root) = start(SupervisorSpec::new("root").child(poison).child(worker("b", &log))).await;
    for crash in 1..=6 {
        tell(&root, "poison", Do::Panic);
        until(&bus, &root, |tree| {
            let poison = tree.child("poison").unwrap();
            (poison.restarts == crash && poison.is_running()) || poison.state == NodeState::Quarantined
        })
        .await;
    }
    assert_eq!(root.snapshot().child("poison").unwrap().state, NodeState::Quarantined);
    assert!(root.snapshot().child("b").unwrap().is_running());
    assert_eq!(downs.lock().unwrap().last().unwrap(), "Quarantine");
    root.restart("poison").await.unwrap();
    until(&bus, &root, all_running).await;
}

#[tokio::test]
async fn dropping_the_root_leaves_no_task() {
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    let log = Log::default();
    let bus = Bus::new();
    let nested = Branch::new(&bus, SupervisorSpec::new("nested").child(worker("deep", &log)));
    let hanging = ChildSpec::new("hanging", |_| async { std::future::pending().await });
    let spec = SupervisorSpec::new("root").child(worker("a", &log)).child(nested.child()).child(hanging);
    let root = Branch::new(&bus, spec).start_root().await.unwrap();
    until(&bus, &root, |tree| tree.child("hanging").is_some_and(|h| h.state == NodeState::Starting)).await;
    assert!(metrics.num_alive_tasks() > before);
    drop(root);
    let gone = async {
        while metrics.num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    };
    let left = tokio::time::timeout(Duration::from_secs(10), gone).await;
    assert!(left.is_ok(), "{} tasks are left", metrics.num_alive_tasks() - before);
}
