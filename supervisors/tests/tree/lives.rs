//! One incarnation after the other, on several threads: ractor tells of an end before the actor's state is dropped.

use std::{
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use backline_supervisors::{Branch, Bus, ChildSpec, Exit, ExitKind, Next, RestartDelay, SupervisorSpec};
use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::rig::{Do, Log, until, worker};

/// Who holds the thing of which there may be one at a time.
#[derive(Default)]
struct Holders {
    state: Mutex<Held>,
    changed: Condvar,
}

#[derive(Default)]
struct Held {
    now: u32,
    most: u32,
    told: Vec<String>,
}

/// Held by an incarnation. Letting go takes its time, and lasts longer where somebody comes meanwhile.
struct Hold(Arc<Holders>);

impl Hold {
    fn take(holders: &Arc<Holders>) -> Self {
        let mut held = holders.state.lock().unwrap();
        held.now += 1;
        held.most = held.most.max(held.now);
        held.told.push("held".into());
        holders.changed.notify_all();
        drop(held);
        Self(holders.clone())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let alone = |held: &mut Held| held.now == 1;
        // In place: this worker's next task, the supervisor that was just told of the end, goes on elsewhere.
        tokio::task::block_in_place(|| {
            let held = self.0.state.lock().unwrap();
            let (mut held, _) =
                self.0.changed.wait_timeout_while(held, Duration::from_millis(100), alone).unwrap();
            held.now -= 1;
            held.told.push("let go".into());
        });
    }
}

#[derive(Clone)]
struct Holder(Arc<Holders>);

impl Actor for Holder {
    type Msg = Do;
    type State = Hold;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Do>, (): ()) -> Result<Hold, ActorProcessingErr> {
        Ok(Hold::take(&self.0))
    }

    async fn handle(&self, myself: ActorRef<Do>, msg: Do, _: &mut Hold) -> Result<(), ActorProcessingErr> {
        match msg {
            Do::Panic => panic!("a bug"),
            Do::Fail => Err("an error".into()),
            Do::End => {
                myself.stop(None);
                Ok(())
            }
        }
    }
}

fn holder(holders: &Arc<Holders>) -> ChildSpec {
    let (made, told) = (holders.clone(), holders.clone());
    ChildSpec::actor("holder", move || (Holder(made.clone()), ()))
        .delay(RestartDelay::NONE)
        .on_down(move |_| told.state.lock().unwrap().told.push("down".into()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_next_incarnation_never_meets_the_former_one() {
    let (holders, bus) = (Arc::new(Holders::default()), Bus::new());
    let spec = SupervisorSpec::new("root").intensity(9, Duration::from_secs(60)).child(holder(&holders));
    let root = Branch::new(&bus, spec).start_root().await.unwrap();
    for (incarnation, what) in [(1, Some(Do::Panic)), (2, Some(Do::Fail)), (3, Some(Do::End)), (4, None)] {
        until(&bus, &root, |tree| {
            tree.child("holder").is_some_and(|c| c.incarnation == incarnation && c.is_running())
        })
        .await;
        let cell = root.cell("holder").unwrap();
        match what {
            Some(what) => ActorRef::<Do>::from(cell).cast(what).unwrap(),
            None => cell.kill(),
        }
    }
    until(&bus, &root, |tree| tree.child("holder").is_some_and(|c| c.incarnation == 5 && c.is_running()))
        .await;
    let held = holders.state.lock().unwrap();
    assert_eq!(held.most, 1, "two incarnations at once: {:?}", held.told);
    assert_eq!(held.told[..3], ["held", "let go", "down"], "what is written last must be on_down's");
    assert_eq!(held.told[..12].chunks(3).filter(|c| *c == ["held", "let go", "down"]).count(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_killed_supervisor_tells_of_its_children_and_comes_back_when_they_are_gone() {
    let (holders, bus) = (Arc::new(Holders::default()), Bus::new());
    let nested = Branch::new(&bus, SupervisorSpec::new("nested").child(holder(&holders)));
    let root = SupervisorSpec::new("root").intensity(99, Duration::from_secs(60));
    let root =
        Branch::new(&bus, root.child(nested.child().delay(RestartDelay::NONE))).start_root().await.unwrap();
    for restarts in 0..5 {
        until(&bus, &root, |tree| {
            tree.child("nested").is_some_and(|n| n.restarts == restarts && n.is_running())
                && tree.child("nested/holder").is_some_and(|c| c.is_running())
        })
        .await;
        assert_eq!(nested.snapshot().child("holder").unwrap().incarnation, restarts + 1, "no number twice");
        root.cell("nested").unwrap().kill();
    }
    until(&bus, &root, |tree| {
        tree.child("nested").is_some_and(|n| n.restarts == 5 && n.is_running())
            && tree.child("nested/holder").is_some_and(|c| c.is_running())
    })
    .await;
    let held = holders.state.lock().unwrap();
    assert_eq!(held.most, 1, "two incarnations at once: {:?}", held.told);
    assert_eq!(held.told.iter().filter(|t| *t == "down").count(), 5);
}

#[tokio::test(start_paused = true)]
async fn whoever_speaks_for_a_child_that_is_down_hears_what_comes_next_and_may_panic() {
    let (log, bus) = (Log::default(), Bus::new());
    let told: Arc<Mutex<Vec<(ExitKind, &str)>>> = Arc::default();
    let telling = told.clone();
    let child = worker("a", &log).on_down(move |down| {
        let next = match down.next {
            Next::Restart(_) => "restart",
            Next::StartAgain => "start again",
            Next::Nothing => "nothing",
            _ => "something else",
        };
        telling.lock().unwrap().push((down.exit.kind, next));
        panic!("a bug in the host");
    });
    let root = Branch::new(&bus, SupervisorSpec::new("root").child(child)).start_root().await.unwrap();
    let runs = async |incarnation| {
        until(&bus, &root, |tree| {
            tree.child("a").is_some_and(|c| c.incarnation == incarnation && c.is_running())
        })
        .await;
    };
    runs(1).await;
    ActorRef::<Do>::from(root.cell("a").unwrap()).cast(Do::Panic).unwrap();
    runs(2).await;
    root.restart("a").await.unwrap();
    runs(3).await;
    root.remove("a").await.unwrap();
    let expected =
        [(ExitKind::Failed, "restart"), (ExitKind::Normal, "start again"), (ExitKind::Normal, "nothing")];
    assert_eq!(*told.lock().unwrap(), expected);
    assert_eq!(Exit::new(ExitKind::Failed, "x".repeat(900)).message.len(), 500);
}
