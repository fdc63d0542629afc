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
    config::{BackendConfig, Config},
    model::{BackendId, BackendStatus, Channel, Code, Epoch, Fault, Identity, Kind},
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
}

/// One backend of the world.
pub(crate) struct Actor {
    mood: watch::Sender<Mood>,
    pub(crate) dials: Mutex<Vec<Instant>>,
    working: AtomicUsize,
}

impl Actor {
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
        Self::made(names, mood, change, |builder| builder).await
    }

    /// The same, whose supervisor keeps its state in this directory.
    pub(crate) async fn kept(names: &[&str], mood: Mood, directory: &std::path::Path) -> Self {
        Self::made(names, mood, |_| {}, |builder| builder.state_dir(directory)).await
    }

    async fn made(
        names: &[&str],
        mood: Mood,
        change: impl Fn(&mut BackendConfig),
        build: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        hush_injected_panics();
        let mut actors = HashMap::new();
        let mut config = Config::new();
        for name in names {
            let actor = Actor {
                mood: watch::Sender::new(mood),
                dials: Mutex::default(),
                working: AtomicUsize::new(0),
            };
            actors.insert((*name).to_owned(), Arc::new(actor));
            let id = BackendId::new(name).unwrap();
            let mut backend = BackendConfig::new(id, Kind::Openai, Address::loopback(1));
            change(&mut backend);
            config = config.backend(backend);
        }
        let known = actors.clone();
        let supervisor = build(Supervisor::builder())
            .config(config)
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
                Mood::Up | Mood::Silent => {}
            }
            let mut mood = self.actor.mood.subscribe();
            mood.wait_for(|m| *m != Mood::Silent)
                .await
                .map_err(|_| Fault::new(Code::ConnectionReset, "gone"))?;
            let session = Arc::new(Held {
                id: self.id.clone(),
                actor: self.actor.clone(),
                end: watch::Sender::new(None),
            });
            Ok(Dialed {
                live: live(session.clone()),
                session,
                identity: Identity { version: Some("1".into()), ..Identity::default() },
                channel: Channel::None,
            })
        })
    }
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
            let mut mood = self.actor.mood.subscribe();
            // A stopped process answers nothing: the prober's own time-out ends this.
            let mood =
                *mood.wait_for(|m| *m != Mood::Silent).await.map_err(|_| Fault::new(Code::Hang, "gone"))?;
            match mood {
                Mood::Down => Err(Fault::new(Code::ConnectionRefused, "nothing is listening")),
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
        Box::pin(async { Ok(Finished::default()) })
    }

    fn cancel(&self, _: String) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    fn fetch(&self, _: RemoteFile, _: u64) -> BoxFuture<'_, Result<Download, Fault>> {
        Box::pin(async { Err(Fault::new(Code::NotFound, "it has no files")) })
    }
}
