//! A simulated LiteLLM proxy, like the real 1.106.2 without a database in front of an upstream that fails on demand.
//!
//! Its models are those of the project's test configuration: `mock` and `stub` answer, `embed` embeds, `dall-e-3` draws,
//! `whisper-1` listens, `r429`, `r500`,
//! `r400`, `down`, `garbage` and `mock-ratelimit` fail at once, `hang` runs into the time-out, and `midcut`, `midclose`,
//! `miderr` and `midhang` fail in the middle of a stream. Quirks included: no key is a bare 500, a wrong one a 400 about
//! a database, and an upstream that ends early gets an invented end.

mod app;
mod chat;
mod chunks;
mod failed;
mod fault;
mod head;
mod media;
mod models;
mod script;
mod wording;

use std::{
    io,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::sim::{SimServer, litellm::app::Proxy};

/// How a simulated LiteLLM is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its master key. Default: `sk-` and 64 digits.
    pub key: String,
    /// Between two pieces of a streamed answer. Default 20 ms.
    pub pace: Duration,
    /// After which it gives an upstream up that says nothing. Default 3 s.
    pub patience: Duration,
    /// Pieces (`tok0 `, `tok1 `, …) of an answer of `stub`. Default 4, as the real upstream of the tests.
    pub pieces: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            key: format!("sk-{}", "0123456789abcdef".repeat(4)),
            pace: Duration::from_millis(20),
            patience: Duration::from_secs(3),
            pieces: 4,
        }
    }
}

/// A simulated LiteLLM on a loopback port. As a [`SimServer`] it can be killed, restarted, frozen, cut and troubled.
pub struct SimLitellm {
    server: SimServer,
    key: String,
    counts: Arc<Counts>,
}

/// What the models did, over all boots.
#[derive(Debug, Default)]
struct Counts {
    begun: AtomicU64,
    finished: AtomicU64,
}

impl SimLitellm {
    /// Starts one on a free loopback port.
    ///
    /// # Errors
    /// No port can be had.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn start(options: Options) -> io::Result<Self> {
        Self::start_on(0, options).await
    }

    /// Starts one on this port.
    ///
    /// # Errors
    /// The port is taken.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn start_on(port: u16, options: Options) -> io::Result<Self> {
        let counts = Arc::new(Counts::default());
        let (shared, key) = (counts.clone(), options.key.clone());
        let make =
            move || -> Arc<dyn crate::sim::App> { Arc::new(Proxy::new(options.clone(), shared.clone())) };
        Ok(Self { server: SimServer::start_on(port, make).await?, key, counts })
    }

    /// Its master key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Requests that a model began to work on, over all boots: what a person would be charged for.
    pub fn executions(&self) -> u64 {
        self.counts.begun.load(Relaxed)
    }

    /// Of these, answered to the last byte, an error in the middle included.
    pub fn finished(&self) -> u64 {
        self.counts.finished.load(Relaxed)
    }
}

impl Deref for SimLitellm {
    type Target = SimServer;

    fn deref(&self) -> &SimServer {
        &self.server
    }
}
