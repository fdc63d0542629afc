//! A simulated ComfyUI: 0.3.64 and 0.24.0 as they were recorded, quirks included.
//!
//! It checks and runs graphs of a few node classes (see [`nodes`]), keeps its queue and history in the memory of one
//! boot and its files on a "disk" that outlives it, and has the real server's bad habits: a repeated prompt id is run
//! again, a graph with one bad branch is accepted without it, a socket whose id was taken over goes deaf when the old
//! one closes, and a client that reads nothing holds up everybody's events.

mod act;
mod answer;
mod cache;
mod disk;
mod engine;
mod files;
mod jobs;
mod literal;
pub mod nodes;
mod origin;
mod painters;
mod plan;
mod preview;
mod prompt;
mod routes;
mod sockets;
mod state;
mod switches;
mod validate;

pub use switches::Upgrades;

use std::{io, sync::Arc};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::task::JoinSet;

use crate::sim::{
    App, Body, SimServer,
    comfyui::{disk::Disk, state::State, switches::Switches},
};

/// The versions that were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Version {
    /// October 2025: takes any text as a prompt's id.
    V0_3_64,
    /// June 2026: wants a lower-case UUID, refuses cross-site requests, has `/api/jobs`.
    V0_24_0,
}

impl Version {
    /// As the server tells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V0_3_64 => "0.3.64",
            Self::V0_24_0 => "0.24.0",
        }
    }
}

/// The checkpoint that is there from the start.
const CHECKPOINT: &str = "sd.safetensors";

/// A simulated ComfyUI on a loopback port. Dropping it kills it.
pub struct SimComfyui {
    server: SimServer,
    switches: Arc<Switches>,
    disk: Arc<Disk>,
}

/// One boot.
struct Program {
    state: Arc<State>,
    /// The worker, the publisher, the sockets.
    _tasks: JoinSet<()>,
}

impl SimComfyui {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn start(version: Version) -> io::Result<Self> {
        Self::start_on(0, version).await
    }

    /// Starts one on this port.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start_on(port: u16, version: Version) -> io::Result<Self> {
        let switches = Arc::new(Switches::default());
        let disk = Arc::new(Disk::default());
        disk.add_checkpoint(CHECKPOINT);
        let (own, files) = (switches.clone(), disk.clone());
        let make = move || -> Arc<dyn App> { Arc::new(Program::boot(version, own.clone(), files.clone())) };
        Ok(Self { server: SimServer::start_on(port, make).await?, switches, disk })
    }

    /// The machine under it: kill, restart, freeze, cut, and trouble by request.
    pub fn server(&self) -> &SimServer {
        &self.server
    }

    /// Lays a checkpoint into the server's folder, as a person does who downloads one. It has `sd.safetensors`.
    pub fn add_checkpoint(&self, name: &str) {
        self.disk.add_checkpoint(name);
    }

    /// Takes one away.
    pub fn remove_checkpoint(&self, name: &str) {
        self.disk.remove_checkpoint(name);
    }

    /// How often a prompt with this id began to run, over all boots.
    pub fn executions(&self, prompt_id: &str) -> u32 {
        self.switches.executions(prompt_id)
    }

    /// How many prompts began to run, over all boots.
    pub fn all_executions(&self) -> u32 {
        self.switches.all_executions()
    }

    /// How many prompts stand in a history, well or badly ended, over all boots.
    pub fn ended(&self) -> tokio::sync::watch::Receiver<u32> {
        self.switches.watch_ended()
    }

    /// Whether the success of the prompt with this id was written to a socket. Like the real one, a program can be
    /// killed between a prompt's end and the word of it.
    pub fn told(&self, prompt_id: &str) -> bool {
        self.switches.was_told(prompt_id)
    }

    /// Whether sockets stay open, answer pings, and get no events.
    pub fn mute(&self, mute: bool) {
        self.switches.mute(mute);
    }

    /// Whether upgrades to WebSocket are taken, as by a proxy that knows HTTP only.
    pub fn upgrades(&self, upgrades: Upgrades) {
        self.switches.set_upgrades(upgrades);
    }
}

impl Program {
    fn boot(version: Version, switches: Arc<Switches>, disk: Arc<Disk>) -> Self {
        disk.boot();
        let (state, outbox) = State::new(version, switches, disk);
        let state = Arc::new(state);
        let mut tasks = JoinSet::new();
        tasks.spawn(sockets::publish(state.clone(), outbox));
        tasks.spawn(engine::work(state.clone()));
        Self { state, _tasks: tasks }
    }
}

impl App for Program {
    fn answer(self: Arc<Self>, request: Request<Incoming>) -> BoxFuture<'static, Response<Body>> {
        Box::pin(routes::answer(self.state.clone(), request))
    }
}
