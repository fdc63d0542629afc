//! A simulated MCP server of WanGP, like the real 12.60 over the MCP library 1.10.1 with one session and no card.
//!
//! Its models are `t2v` and `i2v` (videos), `flux` (pictures) and `ace_step` (sound). A generation takes
//! `num_inference_steps` steps (4); its prompt says how it goes: `fail` and `oom` fail in the middle, `invalid` fails the
//! validation. Quirks included: one generation at a time, ids that the server mints, jobs and gallery forgotten at a
//! restart, tokens of single use, and a `wait` that blocks everybody. Tools that Backline does not use are not played.

mod app;
mod complaint;
mod gallery;
mod job;
mod models;
mod rpc;
mod tools;

use std::{
    io,
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::sim::{SimServer, wan2gp::app::Mcp};

/// How a simulated MCP server of WanGP is set up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Of one step of a generation. Default 50 ms.
    pub step: Duration,
    /// Bytes of a video that it makes. Default 64 KiB.
    pub video: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { step: Duration::from_millis(50), video: 64 * 1024 }
    }
}

impl Options {
    /// With another step.
    #[must_use]
    pub fn step(self, step: Duration) -> Self {
        Self { step, ..self }
    }
}

/// A simulated MCP server of WanGP on a loopback port. As a [`SimServer`] it can be killed, restarted, frozen, cut and
/// troubled.
pub struct SimWan2gp {
    server: SimServer,
    counts: Arc<Counts>,
}

/// What of a call is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The tool never hears of it.
    Request,
    /// The tool does what it is asked for, and the connection is cut.
    Answer,
}

/// What the models did, over all boots.
#[derive(Debug, Default)]
struct Counts {
    begun: AtomicU64,
    finished: AtomicU64,
    /// The tool whose next call is lost, and on which way.
    lost: Mutex<Option<(String, Lost)>>,
}

impl SimWan2gp {
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
        let shared = counts.clone();
        let make =
            move || -> Arc<dyn crate::sim::App> { Arc::new(Mcp::new(options.clone(), shared.clone())) };
        Ok(Self { server: SimServer::start_on(port, make).await?, counts })
    }

    /// Generations begun, over all boots.
    pub fn executions(&self) -> u64 {
        self.counts.begun.load(Relaxed)
    }

    /// Loses the next call of this tool: all requests have one path, which no rule of trouble can tell apart.
    pub fn lose(&self, tool: &str, lost: Lost) {
        *self.counts.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some((tool.to_owned(), lost));
    }

    /// Of these, those that left a file.
    pub fn finished(&self) -> u64 {
        self.counts.finished.load(Relaxed)
    }
}

impl Counts {
    /// What of this call is to be lost, now and not again.
    fn loses(&self, tool: &str) -> Option<Lost> {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.take_if(|(name, _)| name == tool).map(|(_, lost)| lost)
    }
}

impl Deref for SimWan2gp {
    type Target = SimServer;

    fn deref(&self) -> &SimServer {
        &self.server
    }
}
