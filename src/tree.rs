//! Assembles the supervision tree; the only file that names every actor.
//!
//! ```text
//!  root         rest_for_one   3 restarts / 60 s      gives up: `closed()` resolves with the report
//!   |- backends    one_for_one, dynamic               each child 5 / 30 s, then quarantined; the rest live on
//!   |    '- connection "comfyui" ...                  owns its link task and its machine
//!   |- store       permanent                          owns the state database, where there is one
//!   |- jobs        permanent                          owns the drivers of the jobs
//!   |- pools       dynamic, each quarantined           publish who belongs to each pool; the routes outlive them
//!   |- health      quarantined like a backend         probes and advises; it never brings the root down
//!   |- history     quarantined like a backend         ages what was, and shows it; the samples outlive it
//!   |- notices     quarantined like a backend         says what a person should know, and keeps it
//!   |- registry    quarantined like a backend         who can do what; looks it up anew
//!   |- settings    quarantined like a backend         decides which backends there are: the one writer of their set
//!   |- discovery   quarantined like a backend         sweeps, and hands on what it found
//!   '- webhook     quarantined like a backend         tells a server of the user's own of notices
//! ```
//!
//! What is dearest to lose starts first. Nobody keeps a sibling's `ActorRef`: who needs one asks [`Tree`] or the
//! [`Roster`], which look up the incarnation that lives now.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use backline_supervisors::{
    Branch, Bus, ChildSpec, OnIntensity, Restart, RootHandle, Strategy, SupervisorError, SupervisorSpec,
};
use ractor::ActorRef;

use crate::{
    config::DiscoveryConfig,
    connection::{
        actor::{Connection, Msg as ConnectionMsg},
        machine::Command,
        slot::Slot,
    },
    discovery::actor::{Explorer, Msg as DiscoveryMsg, Setup as DiscoverySetup},
    health::actor::{Msg as HealthMsg, Prober},
    history::actor::{Historian, Setup as HistorySetup},
    hub::Hub,
    jobs::{
        actor::{Jobs, Msg as JobsMsg},
        setup::Setup as JobsSetup,
    },
    notices::{
        Desk,
        watch::{Setup as Watch, Watcher},
        webhook::{Messenger, Setup as WebhookSetup},
    },
    pool::{
        actor::{Pool, Setup as PoolSetup, Shown},
        route::Route,
    },
    registry::actor::{Msg as RegistryMsg, Registrar, Setup as RegistrySetup},
    roster::Roster,
    settings::{
        actor::{Msg as SettingsMsg, Steward},
        crew::Crew,
    },
    state::Store,
};

/// How long a connection may drain when the tree stops; jobs were waited for before.
const DRAIN: Duration = Duration::from_secs(2);

/// What the actors work with, made before any of them; it outlives their incarnations.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) roster: Arc<Roster>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) desk: Desk,
    /// None without a state directory.
    pub(crate) store: Option<Store>,
    pub(crate) crew: Arc<Crew>,
    pub(crate) jobs: JobsSetup,
    pub(crate) discovery: DiscoverySetup,
}

/// The addresses of the tree's actors. Cheap to clone; good across restarts.
#[derive(Clone)]
pub(crate) struct Tree {
    pub(crate) bus: Bus,
    pub(crate) root: Branch,
    pub(crate) backends: Branch,
    discovery: DiscoverySetup,
}

impl Tree {
    /// The tree over a set of backends, not started yet.
    pub(crate) fn new(parts: &Parts) -> Self {
        let bus = Bus::new();
        let (backends, pools) = (backends(parts, &bus), pools(parts, &bus));
        parts.roster.attach(backends.clone(), pools.clone());
        let children = [
            Some(backends.child()),
            parts.store.as_ref().map(store),
            Some(jobs(parts)),
            Some(pools.child().on_intensity(OnIntensity::QUARANTINE)),
            Some(health(parts)),
            Some(history(parts)),
            Some(notices(parts)),
            Some(registry(parts)),
            Some(settings(parts)),
            Some(discovery(parts)),
            Some(webhook(parts)),
        ];
        let root =
            SupervisorSpec::new("root").strategy(Strategy::RestForOne).intensity(3, Duration::from_secs(60));
        let root = children.into_iter().flatten().fold(root, SupervisorSpec::child);
        Self { root: Branch::new(&bus, root), backends, bus, discovery: parts.discovery.clone() }
    }

    pub(crate) async fn start(&self) -> Result<RootHandle, SupervisorError> {
        self.root.start_root().await
    }

    pub(crate) fn jobs(&self) -> Option<ActorRef<JobsMsg>> {
        self.root.cell("jobs").map(ActorRef::from)
    }

    pub(crate) fn settings(&self) -> Option<ActorRef<SettingsMsg>> {
        self.root.cell("settings").map(ActorRef::from)
    }

    pub(crate) fn discovery(&self) -> Option<ActorRef<DiscoveryMsg>> {
        self.root.cell("discovery").map(ActorRef::from)
    }

    /// What discovery looks at unasked.
    pub(crate) fn discovery_config(&self) -> Arc<DiscoveryConfig> {
        self.discovery.config.load_full()
    }

    /// Changes what discovery looks at unasked; an incarnation to come knows it, too.
    pub(crate) fn configure_discovery(&self, config: DiscoveryConfig) {
        self.discovery.config.store(Arc::new(config));
        if let Some(discovery) = self.discovery() {
            // One that is being restarted reads it when it starts.
            let _ = discovery.cast(DiscoveryMsg::Configured);
        }
    }

    pub(crate) fn registry(&self) -> Option<ActorRef<RegistryMsg>> {
        self.root.cell("registry").map(ActorRef::from)
    }

    pub(crate) fn health(&self) -> Option<ActorRef<HealthMsg>> {
        self.root.cell("health").map(ActorRef::from)
    }
}

/// The supervisor of the connections; started anew, it starts those that are wanted then.
fn backends(parts: &Parts, bus: &Bus) -> Branch {
    // The roster knows the branch; were it known back, neither would ever be freed.
    let wanted = Arc::downgrade(&parts.roster);
    let spec = SupervisorSpec::new("backends").strategy(Strategy::OneForOne).wanted(move || {
        let slots = wanted.upgrade().map(|roster| roster.slots()).unwrap_or_default();
        slots.into_iter().map(connection).collect()
    });
    Branch::new(bus, spec)
}

/// The supervisor of the pools: one for each that is configured, and one for all capabilities.
fn pools(parts: &Parts, bus: &Bus) -> Branch {
    let (roster, hub) = (Arc::downgrade(&parts.roster), parts.hub.clone());
    let spec = SupervisorSpec::new("pools").strategy(Strategy::OneForOne).wanted(move || {
        let Some(wanted) = roster.upgrade() else { return Vec::new() };
        let configured = wanted.pools();
        let configured = configured.values().map(|route| pool(route.clone(), &roster, &hub));
        std::iter::once(capabilities(&wanted, &hub)).chain(configured).collect()
    });
    Branch::new(bus, spec)
}

/// One configured pool as a child.
pub(crate) fn pool(route: Arc<Route>, roster: &Weak<Roster>, hub: &Arc<Hub>) -> ChildSpec {
    let (id, stir) = (route.name.clone(), route.stir().clone());
    let setup = PoolSetup {
        roster: roster.clone(),
        hub: hub.clone(),
        routes: vec![route],
        stir,
        shown: Shown::Always,
    };
    ChildSpec::actor(id, move || (Pool, setup.clone())).on_intensity(OnIntensity::QUARANTINE)
}

fn capabilities(roster: &Arc<Roster>, hub: &Arc<Hub>) -> ChildSpec {
    let (routes, stir) = (roster.able.clone(), roster.able[0].stir().clone());
    let setup =
        PoolSetup { roster: Arc::downgrade(roster), hub: hub.clone(), routes, stir, shown: Shown::OnceUsed };
    // An id of a pool has no dot: no configured one collides with it.
    ChildSpec::actor("by.capability", move || (Pool, setup.clone())).on_intensity(OnIntensity::QUARANTINE)
}

fn jobs(parts: &Parts) -> ChildSpec {
    let setup = parts.jobs.clone();
    ChildSpec::actor("jobs", move || (Jobs, setup.clone()))
}

fn health(parts: &Parts) -> ChildSpec {
    let setup = (parts.roster.clone(), parts.hub.clone());
    ChildSpec::actor("health", move || (Prober, setup.clone())).on_intensity(OnIntensity::QUARANTINE)
}

fn history(parts: &Parts) -> ChildSpec {
    let parts = parts.clone();
    let setup = move || HistorySetup {
        roster: parts.roster.clone(),
        hub: parts.hub.clone(),
        store: parts.store.clone(),
    };
    ChildSpec::actor("history", move || (Historian, setup())).on_intensity(OnIntensity::QUARANTINE)
}

fn notices(parts: &Parts) -> ChildSpec {
    let watch = Watch {
        desk: parts.desk.clone(),
        hub: parts.hub.clone(),
        store: parts.store.clone(),
        standing: parts.crew.standing.clone(),
    };
    ChildSpec::actor("notices", move || (Watcher, watch.clone())).on_intensity(OnIntensity::QUARANTINE)
}

fn webhook(parts: &Parts) -> ChildSpec {
    let (desk, standing) = (parts.desk.clone(), parts.crew.standing.clone());
    let setup = WebhookSetup::new(parts.hub.clone(), desk, standing);
    ChildSpec::actor("webhook", move || (Messenger, setup.clone())).on_intensity(OnIntensity::QUARANTINE)
}

fn registry(parts: &Parts) -> ChildSpec {
    let setup = RegistrySetup { roster: parts.roster.clone(), hub: parts.hub.clone() };
    ChildSpec::actor("registry", move || (Registrar, setup.clone())).on_intensity(OnIntensity::QUARANTINE)
}

fn settings(parts: &Parts) -> ChildSpec {
    let crew = parts.crew.clone();
    ChildSpec::actor("settings", move || (Steward, crew.clone())).on_intensity(OnIntensity::QUARANTINE)
}

fn discovery(parts: &Parts) -> ChildSpec {
    let setup = parts.discovery.clone();
    ChildSpec::actor("discovery", move || (Explorer, setup.clone())).on_intensity(OnIntensity::QUARANTINE)
}

/// The owner of the state database as a child. Asked to stop, it takes what waits to the disk first.
#[cfg(feature = "state")]
fn store(store: &Store) -> ChildSpec {
    use crate::state::actor::{CLOSE, Msg, Owner};
    let store = store.clone();
    ChildSpec::actor("store", move || (Owner, store.clone()))
        .shutdown(CLOSE + Duration::from_secs(1))
        .stop_with(|cell| {
            // An owner that is gone needs no close.
            let _ = ActorRef::<Msg>::from(cell.clone()).cast(Msg::Close);
        })
}

#[cfg(not(feature = "state"))]
fn store(store: &Store) -> ChildSpec {
    match *store {}
}

/// One backend's connection as a child. Its normal end is a close that was asked for; all else is a bug and is
/// restarted, at once the first time.
pub(crate) fn connection(slot: Arc<Slot>) -> ChildSpec {
    let (id, spoken_for) = (slot.config.id.to_string(), slot.clone());
    ChildSpec::actor(id, move || (Connection, slot.clone()))
        .restart(Restart::Transient)
        .on_intensity(OnIntensity::QUARANTINE)
        .shutdown(DRAIN + Duration::from_secs(1))
        .stop_with(|cell| {
            let deadline = tokio::time::Instant::now() + DRAIN;
            let close = ConnectionMsg::Command(Command::Close { deadline });
            // A connection that is gone needs no close.
            let _ = ActorRef::<ConnectionMsg>::from(cell.clone()).cast(close);
        })
        .on_down(move |down| spoken_for.went_down(&down))
}

#[cfg(test)]
mod tests {
    use backline_supervisors::TreeSnapshot;

    use super::*;
    use crate::{
        config::{BackendConfig, Config},
        connection::{
            pace::Pace,
            slot::{Common, real_dialer},
        },
        jobs::journal::Journal,
        model::Kind,
        net::Address,
        settings::{layers::Layers, shelf::Shelf, standing::Standing, tell::Teller},
        supervisor::apply::Stage,
    };

    #[tokio::test(start_paused = true)]
    async fn a_tree_that_ended_frees_its_backends() {
        let (roster, hub) = (Arc::new(Roster::default()), Arc::new(Hub::new(TreeSnapshot::down("root"))));
        let backend = BackendConfig::new("a".parse().unwrap(), Kind::Openai, Address::loopback(1));
        let config = Config::new().backend(backend);
        let pace = Arc::new(Pace::per_process());
        let (line, dialer) = (roster.line.clone(), real_dialer());
        let common =
            Common { hub: hub.clone(), pace, line, endpoints: Arc::default(), cards: Arc::default(), dialer };
        let stage = Stage { roster: roster.clone(), common };
        stage.set(&config);
        let standing = Standing::new(Layers::Given(Box::new(config.clone())), config);
        let (shelf, teller) = (Shelf::new(None), Teller(Desk::new(hub.clone())));
        let crew = Arc::new(Crew { stage, standing, shelf, teller });
        let (slot, kept) = (Arc::downgrade(&roster.slots()[0]), Arc::downgrade(&roster));
        let desk = Desk::new(hub.clone());
        let discovery = DiscoverySetup::new(DiscoveryConfig::default(), Arc::new(|_| {}));
        let jobs = JobsSetup {
            roster: roster.clone(),
            hub: hub.clone(),
            journal: Journal::new(None, crew.standing.bounds.subscribe()),
            shelf: Arc::default(),
            desk: desk.clone(),
            bounds: crew.standing.bounds.subscribe(),
            settled: crew.standing.settled.subscribe(),
            outputs: None,
            inputs: None,
        };
        let tree = Tree::new(&Parts { desk, roster, hub, store: None, crew, jobs, discovery });
        let root = tree.start().await.unwrap();
        assert!(root.shutdown(Duration::from_secs(5)).await.clean);
        drop(tree);
        // What the actors' tasks held goes with them.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(kept.upgrade().is_none() && slot.upgrade().is_none());
    }
}
