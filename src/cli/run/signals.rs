//! The signals that end a process, and the one that has it look again.

use super::super::outcome::Stop;

/// SIGHUP, which asks for the configuration to be read again; Windows has none.
pub(super) struct HangUps {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl HangUps {
    #[cfg(unix)]
    pub(super) fn listen() -> Result<Self, Stop> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |e: std::io::Error| Stop::failed(format!("signals cannot be listened to: {e}"));
        Ok(Self { signal: signal(SignalKind::hangup()).map_err(failed)? })
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> Result<Self, Stop> {
        Ok(Self {})
    }

    #[cfg(unix)]
    pub(super) async fn next(&mut self) {
        if self.signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

/// SIGINT and SIGTERM; Ctrl-C on Windows.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn listen() -> Result<Self, Stop> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |e: std::io::Error| Stop::failed(format!("signals cannot be listened to: {e}"));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
        })
    }

    #[cfg(unix)]
    pub(crate) async fn received(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> Result<Self, Stop> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    pub(crate) async fn received(self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl-C cannot be listened to");
            std::future::pending::<()>().await;
        }
    }
}
