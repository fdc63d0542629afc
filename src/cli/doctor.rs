//! `backline doctor`: every check that a person would make, with causes and remedies.

mod bundle;
mod hidden;
mod machine;
mod place;
mod servers;

use std::process::ExitCode;

use serde::Serialize;

use super::{
    args::{Common, Doctor},
    instance::{Instance, Reached},
    log::{self, Voice},
    outcome::{FAILED, Stop, print_json},
    print::{errln, outln},
    setup,
};
use crate::config::Config;

/// One check.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) ok: bool,
    /// What was found.
    pub(crate) message: String,
    /// What to do; also where it is well and could be better.
    pub(crate) fix: String,
}

#[derive(Serialize)]
struct Document<'a> {
    checks: &'a [Check],
}

impl Check {
    fn well(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), ok: true, message: message.into(), fix: String::new() }
    }

    fn wrong(name: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name: name.into(), ok: false, message: message.into(), fix: fix.into() }
    }

    /// What could be better, or is good to know.
    fn but(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }
}

pub(crate) async fn doctor(common: &Common, doctor: Doctor) -> Result<ExitCode, Stop> {
    log::install(common, Voice::Reticent, None);
    let (config, mut checks) = place::configuration(common);
    let directory = setup::state_dir(Some(&config))?;
    let instance = Instance::find(&directory).await.ok();
    checks.extend(place::state(&directory, instance.as_ref()));
    checks.push(place::port(&config, instance.as_ref()));
    checks.extend(machine::checks(&config, &directory));
    checks.extend(servers::checks(&config).await);
    let running = match &instance {
        Some(instance) => servers::running(instance).await,
        None => Vec::new(),
    };
    checks.extend(running);
    show(common, &checks);
    if let Some(file) = &doctor.bundle {
        let secrets = hidden::Secrets::of(&config, instance.as_ref().map(|reached| &*reached.instance.token));
        let found = bundle::Found { checks: &checks, directory: &directory, instance: instance.as_ref() };
        bundle::write(common, file, &found, &secrets).await?;
        errln!("{} is written; it holds no secret, look at it before you send it", file.display());
    }
    let ok = checks.iter().all(|check| check.ok);
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn show(common: &Common, checks: &[Check]) {
    if common.json {
        return print_json(&Document { checks });
    }
    for check in checks {
        let mark = if check.ok { "ok    " } else { "FAILED" };
        outln!("{mark} {:<24} {}", check.name, check.message);
        if !check.fix.is_empty() {
            outln!("       fix: {}", check.fix);
        }
    }
    let failed = checks.iter().filter(|check| !check.ok).count();
    match failed {
        0 => outln!("{} checks, all well", checks.len()),
        failed => outln!("{} checks, {failed} failed", checks.len()),
    }
}

/// What is configured for the doctor's purpose: nothing, where the configuration cannot be used.
fn nothing() -> Config {
    Config::new().discovery(crate::config::DiscoveryConfig::on())
}

/// Whether the instance is this one's, for a sentence.
fn of(instance: &Reached) -> String {
    format!("process {} serves {}", instance.instance.pid, instance.instance.address)
}
