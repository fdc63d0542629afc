//! What one of many submits did and what was done to it, in order: the message of its failure tells it.

use std::{
    fmt::Display,
    io,
    sync::{Arc, Mutex},
};

use backline::backends::{Report, Sink};
use tokio::time::Instant;
use tracing_subscriber::EnvFilter;

tokio::task_local! {
    static TRAIL: Trail;
}

#[derive(Clone)]
pub(crate) struct Trail {
    begun: Instant,
    lines: Arc<Mutex<String>>,
}

impl Trail {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), lines: Arc::default() }
    }

    pub(crate) fn note(&self, what: impl Display) {
        let line = format!("{:>9.3} s  {what}\n", self.begun.elapsed().as_secs_f64());
        self.lines.lock().unwrap().push_str(&line);
    }

    /// Runs what leaves this trail: what it logs stands in it from here on.
    pub(crate) async fn of<T>(&self, submit: impl Future<Output = T>) -> T {
        let log = tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(|| Logged);
        // The first of several tests in a process has set it.
        let _ = log.with_env_filter(EnvFilter::new("backline=debug,wire=trace")).try_init();
        TRAIL.scope(self.clone(), submit).await
    }

    pub(crate) fn text(&self) -> String {
        self.lines.lock().unwrap().clone()
    }
}

impl Sink for Trail {
    fn report(&self, report: Report) {
        self.note(format_args!("{report:?}"));
    }
}

/// One event of the log: it belongs to the submit that is polled, if any.
struct Logged;

impl io::Write for Logged {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let _nobodys = TRAIL.try_with(|trail| trail.note(String::from_utf8_lossy(event).trim()));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
