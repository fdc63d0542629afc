//! What lies on this machine: the configuration, the state directory, the API's port.

use std::{net::TcpListener, path::Path};

use super::{Check, nothing, of};
use crate::{
    cli::{args::Common, instance::Reached, setup},
    config::{Config, HttpConfig},
    settings::shelf::Kept,
    state::{directory, holder},
};

/// Free space below which a person is told, in bytes.
const ROOM: u64 = 200 * 1024 * 1024;

/// Whether there is a configuration and whether it is in order; the one that counts.
pub(super) fn configuration(common: &Common) -> (Config, Vec<Check>) {
    let name = "configuration";
    let loaded = match setup::loader(common).load() {
        Ok(loaded) => loaded,
        Err(problems) => {
            let wrong = problems.iter().map(|problem| {
                let place = problem.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
                Check::wrong(name, format!("{place}{}: {}", problem.path, problem.message), &problem.fix)
            });
            return (nothing(), wrong.collect());
        }
    };
    let files: Vec<_> = loaded.files.iter().map(|file| file.display().to_string()).collect();
    let count = loaded.config.backends.len();
    let found = match files.len() {
        0 => Check::well(name, "no file: built-in defaults count")
            .but("`backline config init` writes a first one; until then what is found is used."),
        _ => Check::well(name, format!("{}: in order, {count} backends", files.join(", "))),
    };
    let warned = loaded
        .warnings
        .iter()
        .map(|warning| Check::well(name, format!("{}: {}", warning.path, warning.message)).but(&warning.fix));
    let checks = std::iter::once(found).chain(warned).collect();
    (loaded.config, checks)
}

/// The state directory: its rights, its disk, its database, and who has it.
pub(super) fn state(place: &Path, instance: Option<&Reached>) -> Vec<Check> {
    let name = "state directory";
    if !place.exists() {
        return vec![absent(place)];
    }
    // It is there, so nothing is made.
    let mut checks = match directory::prepare(place) {
        Ok(real) => vec![Check::well(name, format!("{}: yours alone", real.display()))],
        Err(trouble) => return vec![Check::wrong(name, trouble.to_string(), trouble.fix())],
    };
    checks.push(writable(place));
    checks.extend(room(place));
    checks.push(match Kept::peek(place) {
        Ok(_) => Check::well("state database", "it can be read"),
        Err(trouble) => Check::wrong("state database", trouble.to_string(), trouble.fix()),
    });
    checks.push(held(place, instance));
    checks
}

fn absent(place: &Path) -> Check {
    let above = place.ancestors().skip(1).find(|above| above.exists());
    let message = format!("{}: not there yet; the first start makes it", place.display());
    match above {
        Some(above) if !can_write(above) => Check::wrong(
            "state directory",
            format!("{}: it cannot be made, since {} cannot be written", place.display(), above.display()),
            "Correct the rights, or set BACKLINE_STATE_DIR to another directory.",
        ),
        _ => Check::well("state directory", message),
    }
}

/// Tried by writing, since a disk can refuse what the rights allow.
fn writable(place: &Path) -> Check {
    let name = "state directory";
    let tried = tempfile_in(place);
    match tried {
        Ok(()) => Check::well(name, "it can be written"),
        Err(error) => Check::wrong(
            name,
            format!("{}: it cannot be written: {error}", place.display()),
            "Free space or correct the rights, or set BACKLINE_STATE_DIR to another directory.",
        ),
    }
}

fn tempfile_in(place: &Path) -> std::io::Result<()> {
    let path = place.join(format!(".doctor.{}", std::process::id()));
    let written = std::fs::write(&path, vec![0; 4096]);
    // What was not made needs no removal.
    let _ = std::fs::remove_file(&path);
    written
}

#[cfg(unix)]
fn can_write(place: &Path) -> bool {
    rustix::fs::access(place, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn can_write(_: &Path) -> bool {
    true
}

#[cfg(unix)]
fn room(place: &Path) -> Option<Check> {
    let disk = rustix::fs::statvfs(place).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let shown = crate::config::size::show_size(free - free % (1024 * 1024));
    Some(if free < ROOM {
        Check::wrong(
            "disk",
            format!("{shown} are free"),
            "Free space, or set BACKLINE_STATE_DIR to another disk.",
        )
    } else {
        Check::well("disk", format!("{shown} are free"))
    })
}

#[cfg(not(unix))]
fn room(_: &Path) -> Option<Check> {
    None
}

/// Who has the directory now.
fn held(place: &Path, instance: Option<&Reached>) -> Check {
    let name = "instance";
    match (holder(place), instance) {
        (_, Some(instance)) => Check::well(name, of(instance)),
        (Ok(None), None) => Check::well(name, "none runs over this directory"),
        (Ok(Some(pid)), None) => Check::well(
            name,
            format!("process {pid} has the directory, and serves no API"),
        )
        .but(
            "If it does not answer by intent (`--no-dashboard`), nothing; else stop it, and start it again.",
        ),
        (Err(trouble), None) => Check::wrong(name, trouble.to_string(), trouble.fix()),
    }
}

/// Whether the API's port is free, or ours.
pub(super) fn port(config: &Config, instance: Option<&Reached>) -> Check {
    let named = std::env::var("BACKLINE_LISTEN").ok().and_then(|text| text.parse().ok());
    let address = named.or(config.http.listen).unwrap_or(HttpConfig::DEFAULT_LISTEN);
    let name = "API port";
    if instance.is_some_and(|instance| instance.instance.address == address) {
        return Check::well(name, format!("{address} is the running instance's"));
    }
    match TcpListener::bind(address) {
        Ok(_) => Check::well(name, format!("{address} is free")),
        Err(error) => Check::wrong(
            name,
            format!("{address} cannot be used: {error}"),
            "Stop what uses it, or choose another: `backline run --listen 127.0.0.1:0`.",
        ),
    }
}
