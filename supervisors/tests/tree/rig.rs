//! Actors that do what they are told, and the tree around them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use backline_supervisors::{Branch, Bus, ChildSpec, NodeState, RootHandle, SupervisorSpec, TreeSnapshot};
use ractor::{Actor, ActorProcessingErr, ActorRef};

pub(crate) type Log = Arc<Mutex<Vec<String>>>;

/// Does what it is told, and writes down its own clean-up.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) name: &'static str,
    pub(crate) log: Log,
    pub(crate) on_stop: OnStop,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum OnStop {
    End,
    Stall,
}

pub(crate) enum Do {
    Panic,
    Fail,
    End,
}

impl Actor for Worker {
    type Msg = Do;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Do>, (): ()) -> Result<(), ActorProcessingErr> {
        self.log.lock().unwrap().push(format!("+{}", self.name));
        Ok(())
    }

    async fn handle(&self, myself: ActorRef<Do>, msg: Do, (): &mut ()) -> Result<(), ActorProcessingErr> {
        match msg {
            Do::Panic => panic!("a bug in {}", self.name),
            Do::Fail => Err("an error".into()),
            Do::End => {
                myself.stop(None);
                Ok(())
            }
        }
    }

    async fn post_stop(&self, _: ActorRef<Do>, (): &mut ()) -> Result<(), ActorProcessingErr> {
        if self.on_stop == OnStop::Stall {
            std::future::pending::<()>().await;
        }
        self.log.lock().unwrap().push(format!("-{}", self.name));
        Ok(())
    }
}

pub(crate) fn worker(name: &'static str, log: &Log) -> ChildSpec {
    let log = log.clone();
    ChildSpec::actor(name, move || (Worker { name, log: log.clone(), on_stop: OnStop::End }, ()))
}

pub(crate) fn tell(root: &RootHandle, child: &str, what: Do) {
    ActorRef::<Do>::from(root.cell(child).unwrap()).cast(what).unwrap();
}

/// Waits for the tree to become what `fits` says.
pub(crate) async fn until(bus: &Bus, root: &Branch, fits: impl Fn(&TreeSnapshot) -> bool) {
    let mut changes = bus.changes();
    let settled = async {
        while !fits(&root.snapshot()) {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(24 * 3600), settled)
        .await
        .unwrap_or_else(|_| panic!("the tree never became so: {:#?}", root.snapshot()));
}

pub(crate) fn all_running(tree: &TreeSnapshot) -> bool {
    !tree.children.is_empty() && tree.children.iter().all(|c| c.state == NodeState::Running)
}

pub(crate) async fn start(spec: SupervisorSpec) -> (Bus, RootHandle) {
    let bus = Bus::new();
    let root = Branch::new(&bus, spec.seed(1)).start_root().await.unwrap();
    until(&bus, &root, all_running).await;
    (bus, root)
}
