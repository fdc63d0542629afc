//! What the machine brings along: proxies, a container, its clock, certificates, limits.

use std::path::Path;

use jiff::Timestamp;

use super::Check;
use crate::{
    config::{Config, Secret},
    net::{container::container, proxied},
};

/// No clock that is right shows less: this was written then.
const WRITTEN: &str = "2026-01-01T00:00:00Z";

pub(super) fn checks(config: &Config, directory: &Path) -> Vec<Check> {
    let mut checks = vec![proxies(config), surroundings(config), clock(directory), certificates(config)];
    checks.extend(files(config));
    checks
}

/// A proxy of the environment's is never obeyed: whoever needs one has to name it.
fn proxies(config: &Config) -> Check {
    let name = "proxy";
    let Some(variable) = proxied() else { return Check::well(name, "no variable names one") };
    let far: Vec<_> = config
        .backends
        .values()
        .filter(|backend| backend.enabled && !backend.url.is_loopback() && backend.proxy.is_none())
        .map(|backend| backend.id.as_str())
        .collect();
    let found = Check::well(name, format!("{variable} names one, and Backline does not obey it"));
    if far.is_empty() {
        return found;
    }
    found.but(format!("If {} can be reached only by it, set `proxy` there.", far.join(", ")))
}

fn surroundings(config: &Config) -> Check {
    let name = "container";
    let Some(engine) = container() else { return Check::well(name, "this is none") };
    let near: Vec<_> = config
        .backends
        .values()
        .filter(|backend| backend.enabled && backend.url.is_loopback())
        .map(|backend| backend.id.as_str())
        .collect();
    if near.is_empty() {
        return Check::well(name, format!("this is {engine}"));
    }
    let message = format!(
        "this is {engine}, and the addresses of {} mean the container itself, not the machine around it",
        near.join(", ")
    );
    let fix = crate::notices::catalogue::entry(crate::model::Code::ContainerLoopback).fix;
    // Where the server runs in the same container, or with its host's network, that is right.
    Check::well(name, message).but(fix)
}

fn clock(directory: &Path) -> Check {
    let (name, now) = ("clock", Timestamp::now());
    let fix = "Set the clock, and look at its time service (`timedatectl`).";
    if WRITTEN.parse::<Timestamp>().is_ok_and(|written| now < written) {
        return Check::wrong(name, format!("it shows {now:.0}, which is over"), fix);
    }
    let written = std::fs::metadata(directory.join("backline.log")).and_then(|log| log.modified());
    let ahead = written
        .ok()
        .and_then(|at| Timestamp::try_from(at).ok())
        .filter(|at| at.duration_since(now) > jiff::SignedDuration::from_hours(1));
    match ahead {
        Some(at) => Check::wrong(name, format!("it shows {now:.0}, and the log was written at {at:.0}"), fix),
        None => Check::well(name, format!("it shows {now:.0}")),
    }
}

fn certificates(config: &Config) -> Check {
    let name = "certificates";
    let found = rustls_native_certs::load_native_certs();
    let needed =
        config.backends.values().any(|b| b.enabled && b.url.scheme() == "https" && b.tls.ca.is_none())
            || config.notices.webhook.as_ref().is_some_and(|webhook| match &webhook.url {
                Secret::Inline(text) => secrecy::ExposeSecret::expose_secret(text).starts_with("https"),
                _ => true,
            });
    match found.certs.len() {
        0 if needed => Check::wrong(
            name,
            "this machine has no authorities, and a server is asked over https",
            "Install them (Debian: `apt install ca-certificates`), or name one in `tls: (ca: \"FILE\")`.",
        ),
        0 => Check::well(name, "this machine has no authorities; nothing is asked over https"),
        count => Check::well(name, format!("{count} authorities")),
    }
}

/// Files and sockets that the process may hold open.
#[cfg(unix)]
fn files(config: &Config) -> Option<Check> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current?;
    // A sweep, the database, the API's readers, and for each backend its sockets.
    let wanted = 256 + 8 * config.backends.len() as u64;
    let name = "open files";
    Some(if limit < wanted {
        let fix = format!(
            "Raise it: `ulimit -n {}`, or `LimitNOFILE=` of the service.",
            wanted.next_power_of_two()
        );
        Check::wrong(name, format!("at most {limit} at once, and {wanted} may be wanted"), fix)
    } else {
        Check::well(name, format!("at most {limit} at once"))
    })
}

#[cfg(not(unix))]
fn files(_: &Config) -> Option<Check> {
    None
}
