//! `backline run`: the supervisor in the foreground.

use std::{path::Path, process::ExitCode};

use super::{
    args::{Common, Run},
    instance::{self, Instance},
    log::{self, Voice},
    outcome::{FAILED, Stop},
    print::errln,
    setup,
};
use crate::{
    Supervisor,
    config::{Config, Loader},
    http::{Access, Token, listen},
};

pub(crate) async fn run(common: &Common, run: Run) -> Result<ExitCode, Stop> {
    let config = setup::load(common)?.config;
    let directory = setup::state_dir(Some(&config))?;
    instance::make_directory(&directory)?;
    log::install(common, Voice::Telling, Some((directory.clone(), config.log)));
    if let Ok(other) = Instance::find(&directory).await {
        let (pid, address) = (other.instance.pid, other.instance.address);
        let message = format!("{}: in use by process {pid}, which serves {address}", directory.display());
        return Err(Stop::usage(
            message,
            "Stop that process, or set BACKLINE_STATE_DIR to another directory.",
        ));
    }
    let address = run.listen.unwrap_or_else(|| config.http.listen());
    let token = token(&config, address)?;
    let listening = match run.no_dashboard {
        true => None,
        // Taken before anything starts: a port in use leaves nothing behind.
        false => Some(listen(address).await.map_err(|e| {
            Stop::usage(
                e.to_string(),
                "Stop what uses the port, or choose another with `--listen 127.0.0.1:0`.",
            )
        })?),
    };
    let hosts = config.http.hosts.clone();
    #[cfg(feature = "mdns")]
    let announce = config.discovery.announce;
    let stop = Signals::listen()?;
    let supervisor = start(setup::loader(common), &directory).await?;
    let access = Access::with_hosts(token.clone(), hosts);
    let server = listening.map(|l| l.serve(supervisor.handle(), access.clone()));
    #[cfg(feature = "mdns")]
    let _announced = server.as_ref().and_then(|server| announced(announce, server.address));
    let _published = match &server {
        Some(server) => {
            let published = Instance::publish(&directory, server.address, &token)?;
            errln!("dashboard: http://{}/#{}", server.address, access.one_time_code());
            Some(published)
        }
        None => None,
    };
    let mut hang_ups = HangUps::listen()?;
    let reloading = async {
        loop {
            hang_ups.next().await;
            match supervisor.reload().await {
                Ok(change) => tracing::info!(?change, "reloaded"),
                // The settings have raised a notice, and keep what was before.
                Err(error) => tracing::warn!(%error, "not reloaded"),
            }
        }
    };
    tokio::select! {
        () = reloading => {}
        report = supervisor.closed() => {
            tracing::error!(%report, "the tree gave up");
            return Err(Stop::new(FAILED, format!("the supervision tree gave up: {report}"), "Report this as a bug."));
        }
        () = stop.received() => {}
    }
    errln!("stopping; again to stop at once");
    let again = Signals::listen()?;
    tokio::select! {
        report = supervisor.shutdown(run.grace) => {
            tracing::info!(?report, "stopped");
            for job in &report.unfinished {
                errln!("job {job} had not ended; what runs at its backend goes on there where its kind lets it");
            }
            Ok(ExitCode::SUCCESS)
        }
        () = again.received() => Ok(ExitCode::from(130)),
    }
}

/// Starts over the state directory, which is this process's from then on.
async fn start(loader: Loader, directory: &Path) -> Result<Supervisor, Stop> {
    let started = Supervisor::builder().loader(loader).state_dir(directory).start().await;
    started.map_err(|error| match error {
        crate::Error::State(trouble) => Stop::usage(trouble.to_string(), trouble.fix()),
        other => other.into(),
    })
}

/// Announces the API where that is wanted and others can reach it. Without it everything else works.
#[cfg(feature = "mdns")]
fn announced(wanted: bool, address: std::net::SocketAddr) -> Option<crate::discovery::mdns::Announcement> {
    if !wanted || address.ip().is_loopback() {
        return None;
    }
    crate::discovery::mdns::Announcement::new(address)
        .inspect_err(|error| tracing::warn!(%error, "the API cannot be announced on the network"))
        .ok()
}

/// The token: the user's, the configuration's, or a new one. Off loopback only one that somebody chose.
fn token(config: &Config, address: std::net::SocketAddr) -> Result<Token, Stop> {
    let chosen = match (std::env::var("BACKLINE_TOKEN"), &config.http.token) {
        (Ok(text), _) => Some(("BACKLINE_TOKEN", text)),
        (Err(_), Some(secret)) => {
            let text = secret.resolve(&|name| std::env::var(name).ok()).map_err(|e| {
                Stop::usage(format!("`http.token`: {e}"), "Correct the reference, or leave it out.")
            })?;
            Some(("http.token", secrecy::ExposeSecret::expose_secret(&text).to_owned()))
        }
        (Err(_), None) => None,
    };
    match chosen {
        Some((place, text)) => Token::fixed(&text).ok_or_else(|| {
            Stop::usage(
                format!("`{place}` is too weak"),
                "Choose at least 16 letters and digits, without spaces.",
            )
        }),
        None if address.ip().is_loopback() => Ok(Token::random()),
        None => Err(Stop::usage(
            format!("{address} is not this machine alone, and no token is set"),
            "Set BACKLINE_TOKEN, or listen on 127.0.0.1.",
        )),
    }
}

/// SIGHUP, which asks for the configuration to be read again; Windows has none.
struct HangUps {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl HangUps {
    #[cfg(unix)]
    fn listen() -> Result<Self, Stop> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |e: std::io::Error| Stop::failed(format!("signals cannot be listened to: {e}"));
        Ok(Self { signal: signal(SignalKind::hangup()).map_err(failed)? })
    }

    #[cfg(not(unix))]
    fn listen() -> Result<Self, Stop> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        if self.signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
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
