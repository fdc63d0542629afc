//! Backends in memory, behind the seam of the connectors: they are told to refuse, to fall silent, to die.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use backline::{
    Snapshot, Supervisor,
    backends::{
        Abilities, Attempt, Connector, Dialed, Download, Finished, RemoteFile, Session, Setback, Sign, Sink,
        session::Pulse,
    },
    config::{BackendConfig, Config, PoolConfig},
    model::{BackendId, BackendStatus, Capability, Channel, Code, Epoch, Fault, Identity, Kind, Phase},
    net::Address,
    supervisor::Builder,
};
use futures_util::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use tokio::{sync::watch, time::Instant};

/// What a backend does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It listens and answers.
    Up,
    /// Nothing listens.
    Down,
    /// It takes connections and answers nothing.
    Silent,
    /// It refuses the key.
    WrongKey,
    /// It answers, and every piece of work with 503.
    Failing,
    /// Another program answers in its place.
    Stranger,
    /// It answers, and every piece of work with 429 and a wait of 20 s.
    Limited,
}

/// One backend of the world.
pub(crate) struct Actor {
    mood: watch::Sender<Mood>,
    pub(crate) dials: Mutex<Vec<Instant>>,
    /// Probes that came to it.
    pub(crate) probes: AtomicUsize,
    /// Work that was sent there.
    pub(crate) runs: Mutex<Vec<Instant>>,
    working: AtomicUsize,
    /// How long a dial takes that comes to something, in milliseconds.
    handshake: AtomicUsize,
}

impl Actor {
    /// From now on a dial that comes to something takes so long.
    pub(crate) fn takes(&self, time: Duration) {
        self.handshake.store(usize::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Operations of ours that are in flight there.
    pub(crate) fn works(&self, count: usize) {
        self.working.store(count, Ordering::SeqCst);
    }
}

/// A supervisor over backends in memory.
pub(crate) struct World {
    pub(crate) supervisor: Supervisor,
    actors: HashMap<String, Arc<Actor>>,
}

impl World {
    /// Backends with these names, all in this mood.
    pub(crate) async fn new(names: &[&str], mood: Mood) -> Self {
        Self::with(names, mood, |_| {}).await
    }

    /// The same, with settings of their own.
    pub(crate) async fn with(names: &[&str], mood: Mood, change: impl Fn(&mut BackendConfig)) -> Self {
        Self::made(names, mood, change, |config| config, |builder| builder).await
    }

    /// The same, in pools: the name of each, and its members.
    pub(crate) async fn pooled(
        names: &[&str],
        pools: &[PoolConfig],
        change: impl Fn(&mut BackendConfig),
    ) -> Self {
        let with_pools = |config| pools.iter().cloned().fold(config, Config::pool);
        let world = Self::made(names, Mood::Up, change, with_pools, |builder| builder).await;
        for name in names {
            world.until(name, |b| b.phase == Phase::Ready).await;
        }
        // Who belongs to a pool is known a moment later.
        tokio::time::sleep(Duration::from_secs(1)).await;
        world
    }

    /// The same, whose supervisor keeps its state in this directory.
    pub(crate) async fn kept(names: &[&str], mood: Mood, directory: &std::path::Path) -> Self {
        Self::made(names, mood, |_| {}, |config| config, |builder| builder.state_dir(directory)).await
    }

    async fn made(
        names: &[&str],
        mood: Mood,
        change: impl Fn(&mut BackendConfig),
        configure: impl FnOnce(Config) -> Config,
        build: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        hush_injected_panics();
        let mut actors = HashMap::new();
        let mut config = Config::new();
        for (number, name) in names.iter().enumerate() {
            let actor = Actor {
                mood: watch::Sender::new(mood),
                dials: Mutex::default(),
                runs: Mutex::default(),
                probes: AtomicUsize::new(0),
                working: AtomicUsize::new(0),
                handshake: AtomicUsize::new(0),
            };
            actors.insert((*name).to_owned(), Arc::new(actor));
            let id = BackendId::new(name).unwrap();
            let mut backend = BackendConfig::new(id, Kind::Openai, address(number));
            change(&mut backend);
            config = config.backend(backend);
        }
        let known = actors.clone();
        let supervisor = build(Supervisor::builder())
            .config(configure(config))
            .connector(move |config| {
                let actor = known[config.id.as_str()].clone();
                Ok(Arc::new(Memory { id: config.id.clone(), actor }))
            })
            .start()
            .await
            .unwrap();
        Self { supervisor, actors }
    }

    pub(crate) fn actor(&self, name: &str) -> &Actor {
        &self.actors[name]
    }

    pub(crate) fn status(&self, name: &str) -> Arc<BackendStatus> {
        self.supervisor.snapshot().backend(name).unwrap().clone()
    }

    /// Waits until a backend is as `fits` says, and tells how long that took.
    pub(crate) async fn until(&self, name: &str, fits: impl Fn(&BackendStatus) -> bool) -> Duration {
        let begun = Instant::now();
        let mut cell = self.supervisor.watch();
        let met = |now: &Arc<Snapshot>| now.backend(name).is_some_and(|b| fits(b));
        let waited = tokio::time::timeout(Duration::from_secs(7200), cell.wait_for(met)).await;
        assert!(waited.is_ok(), "`{name}` never became so: {:#?}", self.status(name));
        begun.elapsed()
    }
}

/// Where the backend with this number is.
pub(crate) fn address(number: usize) -> Address {
    Address::loopback(1_000 + u16::try_from(number).unwrap())
}

/// A pool of these.
pub(crate) fn pool(name: &str, members: &[&str]) -> PoolConfig {
    PoolConfig::new(name.parse().unwrap(), members.iter().map(|member| member.parse().unwrap()))
}

/// A backtrace takes a second to print; hundreds of panics are injected here.
fn hush_injected_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let text = panic.payload().downcast_ref::<String>();
            if !text.is_some_and(|text| text.starts_with("a panic was injected")) {
                usual(panic);
            }
        }));
    });
}

struct Memory {
    id: BackendId,
    actor: Arc<Actor>,
}

impl Connector for Memory {
    fn dial(&self, _epoch: Epoch) -> BoxFuture<'_, Result<Dialed, Fault>> {
        Box::pin(async {
            self.actor.dials.lock().unwrap().push(Instant::now());
            match *self.actor.mood.borrow() {
                Mood::Down => return Err(Fault::new(Code::ConnectionRefused, "nothing is listening")),
                Mood::WrongKey => return Err(Fault::new(Code::AuthWrong, "the key is refused")),
                Mood::Stranger => return Err(stranger()),
                Mood::Up | Mood::Silent | Mood::Failing | Mood::Limited => {}
            }
            let mut mood = self.actor.mood.subscribe();
            mood.wait_for(|m| *m != Mood::Silent)
                .await
                .map_err(|_| Fault::new(Code::ConnectionReset, "gone"))?;
            let handshake = self.actor.handshake.load(Ordering::SeqCst) as u64;
            tokio::time::sleep(Duration::from_millis(handshake)).await;
            let session = Arc::new(Held {
                id: self.id.clone(),
                actor: self.actor.clone(),
                end: watch::Sender::new(None),
            });
            Ok(Dialed {
                live: live(session.clone()),
                session,
                identity: Identity {
                    version: Some("1".into()),
                    capabilities: vec![Capability::TextChat],
                    ..Identity::default()
                },
                channel: Channel::None,
            })
        })
    }
}

fn stranger() -> Fault {
    Fault::new(Code::WrongProgram, "answers, but it is another program")
}

/// The end of the process is seen at once, as on a socket.
fn live(session: Arc<Held>) -> BoxStream<'static, Sign> {
    let mut mood = session.actor.mood.subscribe();
    let mut end = session.end.subscribe();
    stream::once(async move {
        tokio::select! {
            _ = mood.wait_for(|m| *m == Mood::Down) => Sign::Lost(Fault::new(Code::ConnectionClosed, "it died")),
            _ = end.wait_for(Option::is_some) => Sign::Lost(Fault::new(Code::ConnectionClosed, "closed")),
        }
    })
    .boxed()
}

struct Held {
    id: BackendId,
    actor: Arc<Actor>,
    end: watch::Sender<Option<Fault>>,
}

impl Session for Held {
    fn backend(&self) -> &BackendId {
        &self.id
    }

    fn kind(&self) -> Kind {
        Kind::Openai
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            can_choose_id: false,
            can_look_up: false,
            can_cancel_by_id: false,
            survives_disconnect: false,
            survives_backend_restart: false,
        }
    }

    fn probe(&self) -> BoxFuture<'_, Result<Pulse, Fault>> {
        Box::pin(async {
            self.actor.probes.fetch_add(1, Ordering::SeqCst);
            let mut mood = self.actor.mood.subscribe();
            // A stopped process answers nothing: the prober's own time-out ends this.
            let mood =
                *mood.wait_for(|m| *m != Mood::Silent).await.map_err(|_| Fault::new(Code::Hang, "gone"))?;
            match mood {
                Mood::Down => Err(Fault::new(Code::ConnectionRefused, "nothing is listening")),
                Mood::Stranger => Err(stranger()),
                _ => Ok(Pulse::default()),
            }
        })
    }

    fn in_flight(&self) -> usize {
        self.actor.working.load(Ordering::SeqCst)
    }

    fn end(&self, why: Fault) {
        self.end.send_if_modified(|end| end.is_none() && end.insert(why).code() != Code::Internal);
    }

    fn ended(&self) -> Option<Fault> {
        self.end.borrow().clone()
    }

    fn run(self: Arc<Self>, _: Attempt, _: Arc<dyn Sink>) -> BoxFuture<'static, Result<Finished, Setback>> {
        self.actor.runs.lock().unwrap().push(Instant::now());
        let refused = match *self.actor.mood.borrow() {
            Mood::Failing => Fault::new(Code::BackendError, "503 to everything"),
            Mood::Limited => {
                Fault::new(Code::RateLimited, "429 to everything").with_retry_after(Duration::from_secs(20))
            }
            _ => return Box::pin(async { Ok(Finished::default()) }),
        };
        Box::pin(async { Err(Setback::Refused(refused)) })
    }

    fn cancel(&self, _: String) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    fn fetch(&self, _: RemoteFile, _: u64) -> BoxFuture<'_, Result<Download, Fault>> {
        Box::pin(async { Err(Fault::new(Code::NotFound, "it has no files")) })
    }
}
