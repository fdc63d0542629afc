//! What is asked of a tree, and what it shows.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use backline_supervisors::{
    Branch, Bus, ChildSpec, Exit, ExitKind, Intensity, NodeState, OnIntensity, Restart, RootHandle,
    SupervisorError, SupervisorSpec, TreeEventKind,
};
use serde_json::json;

use crate::rig::{Do, Log, OnStop, Worker, all_running, start, tell, until, worker};

/// A root over `backends`, which is over the workers `a` and `b`.
async fn nested(log: &Log) -> (Bus, RootHandle, Branch) {
    let bus = Bus::new();
    let backends = SupervisorSpec::new("backends").child(worker("a", log)).child(worker("b", log));
    let backends = Branch::new(&bus, backends);
    let root =
        Branch::new(&bus, SupervisorSpec::new("root").child(backends.child()).child(worker("jobs", log)));
    let root = root.start_root().await.unwrap();
    until(&bus, &root, |tree| all_running(tree) && tree.child("backends").is_some_and(all_running)).await;
    (bus, root, backends)
}

#[tokio::test(start_paused = true)]
async fn a_path_reaches_a_child_of_a_nested_supervisor() {
    let log = Log::default();
    let (bus, root, backends) = nested(&log).await;
    assert_eq!(root.cell("backends/a"), backends.cell("a"));
    root.restart("backends/a").await.unwrap();
    until(&bus, &root, |tree| tree.child("backends/a").is_some_and(|a| a.incarnation == 2 && a.is_running()))
        .await;
    root.remove("backends/b").await.unwrap();
    root.at("backends").unwrap().add(worker("c", &log)).await.unwrap();
    until(&bus, &root, |tree| tree.child("backends/c").is_some_and(|c| c.is_running())).await;
    assert!(root.snapshot().child("backends/b").is_none());
    for wrong in ["backends/b", "nobody/a", "jobs/a", "backends/"] {
        let refused = Err(SupervisorError::UnknownChild(wrong.trim_start_matches("backends/").into()));
        assert_eq!(root.remove(wrong).await, refused, "{wrong}");
    }
    assert!(root.at("backends/a").is_none(), "a worker has nobody below it");
}

#[tokio::test(start_paused = true)]
async fn a_child_whose_name_has_a_slash_is_found_before_a_path_is() {
    let log = Log::default();
    let (bus, root, _) = nested(&log).await;
    root.add(worker("backends/a", &log)).await.unwrap();
    until(&bus, &root, |tree| tree.children.len() == 3 && all_running(tree)).await;
    root.remove("backends/a").await.unwrap();
    assert!(root.snapshot().child("backends/a").is_some(), "the other one was removed");
    assert_eq!(root.snapshot().children.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_is_not_there_says_so_and_its_address_is_good_again_after_its_restart() {
    let log = Log::default();
    let (bus, root, backends) = nested(&log).await;
    root.cell("backends").unwrap().kill();
    until(&bus, &root, |tree| tree.child("backends").is_some_and(|b| !b.is_running() || b.incarnation == 2))
        .await;
    if backends.snapshot().state == NodeState::Down {
        assert_eq!(
            backends.add(worker("c", &log)).await,
            Err(SupervisorError::Restarting("backends".into()))
        );
    }
    until(&bus, &root, |tree| tree.child("backends/b").is_some_and(|b| b.is_running() && b.incarnation == 2))
        .await;
    backends.add(worker("c", &log)).await.unwrap();
    until(&bus, &root, |tree| tree.child("backends/c").is_some_and(|c| c.is_running())).await;
    assert_eq!(backends.describe(Duration::from_secs(1)).await.unwrap(), backends.snapshot());
    let stranger = Branch::new(&bus, SupervisorSpec::new("stranger"));
    assert_eq!(stranger.restart("x").await, Err(SupervisorError::Restarting("stranger".into())));
}

#[tokio::test(start_paused = true)]
async fn one_address_takes_one_supervisor_at_a_time() {
    let bus = Bus::new();
    let branch = Branch::new(&bus, SupervisorSpec::new("root").child(worker("a", &Log::default())));
    let root = branch.start_root().await.unwrap();
    let second = branch.start_root().await.map(|_| ()).unwrap_err();
    assert!(
        matches!(second, SupervisorError::NotStarted(id, why) if id == "root" && why.contains("already"))
    );
    until(&bus, &root, all_running).await;
    assert!(root.shutdown(Duration::from_secs(1)).await.clean);
    let again = branch.start_root().await.unwrap();
    until(&bus, &again, all_running).await;
}

#[tokio::test(start_paused = true)]
async fn a_quarantined_child_is_tried_by_itself_and_let_out_by_a_person() {
    let (starts, log) = (Arc::new(AtomicU32::new(0)), Log::default());
    let count = starts.clone();
    let stillborn = ChildSpec::new("poison", move |context| {
        let (turn, log) = (count.fetch_add(1, Ordering::SeqCst), log.clone());
        async move {
            if turn < 4 {
                return Err("it does not start".into());
            }
            let worker = Worker { name: "poison", log, on_stop: OnStop::End };
            Ok(ractor::Actor::spawn_linked(None, worker, (), context.supervisor).await?.0.get_cell())
        }
    });
    let minute = Duration::from_secs(60);
    let on_intensity = OnIntensity::Quarantine {
        intensity: Intensity::new(1, minute),
        trial: 10 * minute,
        trial_cap: 360 * minute,
    };
    let bus = Bus::new();
    // Before the start, or the first events are missed.
    let mut events = bus.events();
    let spec = SupervisorSpec::new("root").child(stillborn.on_intensity(on_intensity));
    let root = Branch::new(&bus, spec).start_root().await.unwrap();
    let begun = tokio::time::Instant::now();
    let mut quarantined = async || {
        while !matches!(events.recv().await.unwrap().kind, TreeEventKind::Quarantined(_)) {}
        begun.elapsed().as_secs() / 60
    };
    assert_eq!(quarantined().await, 0, "two starts, two failures");
    assert_eq!(quarantined().await, 10, "the first trial");
    assert_eq!(quarantined().await, 30, "the second trial waits twice as long");
    assert_eq!(starts.load(Ordering::SeqCst), 4);
    root.release("poison").await.unwrap();
    let mut watch = root.watch();
    watch.wait_for(all_running).await;
    assert_eq!(begun.elapsed().as_secs() / 60, 30, "a person need not wait");
    root.release("poison").await.unwrap();
    assert_eq!(watch.latest().child("poison").unwrap().incarnation, 5, "one that runs is left alone");
}

#[tokio::test(start_paused = true)]
async fn the_snapshot_speaks_the_contracts_json() {
    let (bus, root) = start(SupervisorSpec::new("root").child(worker("a", &Log::default()))).await;
    tell(&root, "a", Do::Fail);
    until(&bus, &root, |tree| tree.child("a").is_some_and(|a| a.restarts == 1 && a.is_running())).await;
    let shown = serde_json::to_value(root.snapshot()).unwrap();
    let exit = json!({"kind": "failed", "message": "an error"});
    let a = json!({"id": "a", "state": "running", "restarts": 1, "incarnation": 2, "last_exit": exit, "children": []});
    let expected = json!({
        "id": "root", "state": "running", "restarts": 0, "incarnation": 0, "last_exit": null, "children": [a],
    });
    assert_eq!(shown, expected);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_runs_out_of_time_names_by_path_whoever_is_still_up() {
    let (log, bus) = (Log::default(), Bus::new());
    let quiet = log.clone();
    let deaf = ChildSpec::actor("deaf", move || {
        (Worker { name: "deaf", log: quiet.clone(), on_stop: OnStop::Stall }, ())
    });
    let backends = Branch::new(&bus, SupervisorSpec::new("backends").child(deaf.shutdown(Duration::MAX)));
    let root =
        Branch::new(&bus, SupervisorSpec::new("root").child(worker("a", &log)).child(backends.child()));
    let root = root.start_root().await.unwrap();
    until(&bus, &root, |tree| tree.child("backends/deaf").is_some_and(|d| d.is_running())).await;
    let deaf = root.cell("backends/deaf").unwrap();
    let report = root.shutdown(Duration::from_secs(3)).await;
    assert_eq!(
        (report.clean, report.left),
        (false, ["a", "backends", "backends/deaf"].map(String::from).to_vec())
    );
    deaf.wait(Some(Duration::from_secs(10))).await.expect("it was killed");
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_ones_own_that_panics_or_does_nothing_ends_with_a_kill() {
    let log = Log::default();
    let panics =
        worker("panics", &log).stop_with(|_| panic!("a bug in the host")).shutdown(Duration::from_secs(2));
    let idles = worker("idles", &log).stop_with(|_| ()).shutdown(Duration::from_secs(3));
    let (_, root) = start(SupervisorSpec::new("root").child(panics).child(idles)).await;
    let begun = tokio::time::Instant::now();
    let report = root.shutdown(Duration::from_secs(60)).await;
    assert_eq!((report.left, begun.elapsed().as_secs()), (vec!["idles".to_owned(), "panics".to_owned()], 5));
}

#[tokio::test(start_paused = true)]
async fn a_root_that_is_killed_does_not_say_that_it_stopped() {
    let (_, root) = start(SupervisorSpec::new("root").child(worker("a", &Log::default()))).await;
    let (bus, other) = start(SupervisorSpec::new("other").child(worker("a", &Log::default()))).await;
    ractor::ActorCell::kill(&root.cell("a").unwrap().try_get_supervisor().unwrap());
    let end = root.closed().await;
    assert_eq!(
        (end.supervisor.as_str(), end.child.as_str(), end.exit.kind),
        ("root", "root", ExitKind::Killed)
    );
    assert_eq!(root.snapshot().last_exit, Some(Exit::new(ExitKind::Killed, "")));
    let mut changes = bus.changes();
    let branch = other.branch().clone();
    assert!(other.shutdown(Duration::from_secs(1)).await.clean);
    changes.changed().await.unwrap();
    assert_eq!(branch.snapshot().last_exit, Some(Exit::new(ExitKind::Normal, "")));
}

#[tokio::test(start_paused = true)]
async fn a_temporary_child_stays_gone_and_may_be_started_again_by_a_person() {
    let log = Log::default();
    let (bus, root) =
        start(SupervisorSpec::new("root").child(worker("once", &log).restart(Restart::Temporary))).await;
    tell(&root, "once", Do::Panic);
    until(&bus, &root, |tree| tree.child("once").is_some_and(|c| c.state == NodeState::Ended)).await;
    root.restart("once").await.unwrap();
    until(&bus, &root, |tree| tree.child("once").is_some_and(|c| c.is_running() && c.incarnation == 2)).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_waits_for_any_more_is_not_carried_out() {
    let log = Log::default();
    let (_, root) = start(SupervisorSpec::new("root").child(worker("a", &log))).await;
    let at_once = Duration::ZERO;
    tokio::time::timeout(at_once, root.restart("a")).await.expect_err("it is asked, and not yet answered");
    tokio::time::timeout(at_once, root.add(worker("b", &log))).await.expect_err("likewise");
    tokio::time::timeout(at_once, root.remove("a")).await.expect_err("likewise");
    let tree = root.describe(Duration::from_secs(1)).await.unwrap();
    assert_eq!(tree.children.len(), 1);
    assert!(tree.child("a").unwrap().is_running());
    assert_eq!(tree.child("a").unwrap().incarnation, 1);
}

#[tokio::test(start_paused = true)]
async fn a_tree_whose_start_is_not_awaited_to_its_end_is_no_more() {
    let metrics = tokio::runtime::Handle::current().metrics();
    let (before, bus) = (metrics.num_alive_tasks(), Bus::new());
    let branch = Branch::new(&bus, SupervisorSpec::new("root").child(worker("a", &Log::default())));
    // Asked once, the start has begun and not ended.
    let begun = tokio::time::timeout(Duration::ZERO, branch.start_root()).await;
    begun.map(|_| ()).expect_err("it needs more than one turn");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!((metrics.num_alive_tasks(), branch.snapshot().state), (before, NodeState::Down));
}
