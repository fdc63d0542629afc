//! `backline run`: the supervisor in the foreground.

mod exposure;
mod key;
mod signals;

use std::{path::Path, process::ExitCode};

use self::signals::HangUps;
pub(crate) use self::signals::Signals;
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
    config::Loader,
    http::{Access, listen},
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
    if !run.no_dashboard {
        exposure::ask(run.listen, address)?;
    }
    let token = key::token(&config, address)?;
    let reader = key::reader(&config)?;
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
    let access = Access::with_hosts(token.clone(), hosts).kept_by(&supervisor).await;
    let access = reader.into_iter().fold(access, Access::reader);
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
            tell(&report);
            Ok(ExitCode::SUCCESS)
        }
        () = again.received() => Ok(ExitCode::from(130)),
    }
}

/// Says what became of jobs that had not ended.
pub(crate) fn tell(report: &crate::supervisor::ShutdownReport) {
    for job in &report.left_running {
        errln!("job {job} goes on at its backend; the next start takes it up");
    }
    for job in &report.waiting {
        errln!("job {job} waits for a backend; the next start goes on with it");
    }
    for job in &report.cut_off {
        errln!("job {job} was cut off: its kind does not survive us, and nobody can say how it ended");
    }
}

/// Starts over the state directory, which is this process's from then on.
async fn start(loader: Loader, directory: &Path) -> Result<Supervisor, Stop> {
    let builder = Supervisor::builder().loader(loader).state_dir(directory);
    // Without a home there are none of the user's own.
    let builder = match setup::user_directory() {
        Ok(own) => builder.presets_dir(own.join("presets")),
        Err(_) => builder,
    };
    let started = builder.start().await;
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
