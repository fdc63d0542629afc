//! A simulated Gradio app: 4.44.1, 5.29.0 and 6.31.0 as they were recorded, quirks included.
//!
//! It has a queue with one slot for `generate` and `stream`, and the real servers' bad habits: a stream is shown
//! once, a function whose stream was lost runs on unseen, a generator whose stream was lost is closed, a cancelled
//! call is a success without values, a cancelled plain function keeps running, and 4.44.1 and 5.29.0 run a queued
//! call that was cancelled.

mod answer;
mod door;
mod engine;
mod envelope;
mod files;
mod functions;
mod ledger;
mod pages;
mod routes;
mod streams;
mod yields;

use std::{io, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;

use crate::sim::{
    App, Body, SimServer,
    gradio::{door::Door, engine::Engine, files::Disk, ledger::Ledger},
};

/// The versions that were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Version {
    /// Routes at the root, no `api_prefix`.
    V4_44_1,
    /// The version that Wan2GP pins.
    V5_29_0,
    /// November 2026.
    V6_31_0,
}

impl Version {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::V4_44_1, Self::V5_29_0, Self::V6_31_0];

    /// As the server tells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V4_44_1 => "4.44.1",
            Self::V5_29_0 => "5.29.0",
            Self::V6_31_0 => "6.31.0",
        }
    }

    /// Where the API's routes begin.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::V4_44_1 => "",
            Self::V5_29_0 | Self::V6_31_0 => "/gradio_api",
        }
    }
}

/// Which app it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavour {
    /// The small app that the recordings were made with.
    #[default]
    Plain,
    /// One that looks like WanGP's page.
    WanGp,
}

/// How it is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// User and password that it asks for.
    pub login: Option<(String, String)>,
    /// Which app it is.
    pub flavour: Flavour,
    /// How long one step of a function takes. Default 200 ms, as in the recordings.
    pub step: Duration,
    /// The most calls that wait.
    pub queue: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { login: None, flavour: Flavour::Plain, step: Duration::from_millis(200), queue: 4 }
    }
}

/// A simulated Gradio app on a loopback port. Dropping it kills it.
pub struct SimGradio {
    server: SimServer,
    ledger: Arc<Ledger>,
}

/// One boot.
struct Program {
    engine: Arc<Engine>,
    door: Door,
}

impl SimGradio {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn start(version: Version, options: Options) -> io::Result<Self> {
        Self::start_on(0, version, options).await
    }

    /// Starts one on this port.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start_on(port: u16, version: Version, options: Options) -> io::Result<Self> {
        let ledger = Arc::new(Ledger::default());
        // The files stay in the system's temporary directory over a restart.
        let disk = Arc::new(Disk::new(version));
        let own = ledger.clone();
        let make = move || -> Arc<dyn App> {
            let door = Door::new(version, options.login.clone());
            let engine = Engine::new(version, options.clone(), own.clone(), disk.clone());
            Arc::new(Program { engine: Arc::new(engine), door })
        };
        Ok(Self { server: SimServer::start_on(port, make).await?, ledger })
    }

    /// The machine under it: kill, restart, freeze, cut, and trouble by request.
    pub fn server(&self) -> &SimServer {
        &self.server
    }

    /// How often a function began to run with this first argument, over all boots.
    pub fn begun(&self, function: &str, prompt: &str) -> u32 {
        self.ledger.begun(function, prompt)
    }

    /// How often a function ran to its end with this first argument, over all boots, seen or unseen.
    pub fn done(&self, function: &str, prompt: &str) -> u32 {
        self.ledger.done(function, prompt)
    }

    /// How many calls of all functions began, over all boots.
    pub fn all_begun(&self) -> u32 {
        self.ledger.all_begun()
    }

    /// Returns once a function has run to its end with this first argument, or has been closed in the middle.
    pub async fn left(&self, function: &str, prompt: &str) {
        self.ledger.left(function, prompt).await;
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.engine.stop();
    }
}

impl App for Program {
    fn answer(self: Arc<Self>, request: Request<Incoming>) -> BoxFuture<'static, Response<Body>> {
        Box::pin(routes::answer(self.engine.clone(), self.clone(), request))
    }
}
