//! The servers: those that are configured, those that are not, and what the running instance says of them.

use futures_util::{StreamExt, stream};
use serde::Deserialize;

use super::Check;
use crate::{
    cli::instance::Reached,
    config::{BackendConfig, Config},
    discovery::sweep,
    net::Address,
    notices::holes,
    supervisor::probe::{ProbeReport, probe},
};

/// Tests at once.
const AT_ONCE: usize = 8;

pub(super) async fn checks(config: &Config) -> Vec<Check> {
    let wanted: Vec<_> = config.backends.values().filter(|b| b.enabled).cloned().collect();
    let tests = stream::iter(wanted.into_iter().map(|backend| async move {
        let report = probe(&backend).await;
        tested(&backend, &report)
    }));
    let mut checks: Vec<_> =
        tests.buffered(AT_ONCE).collect::<Vec<_>>().await.into_iter().flatten().collect();
    let off = config.backends.values().filter(|backend| !backend.enabled);
    checks.extend(off.map(|backend| Check::well(format!("backend {}", backend.id), "not enabled")));
    checks.extend(found(config).await);
    checks
}

fn tested(backend: &BackendConfig, report: &ProbeReport) -> Vec<Check> {
    let name = format!("backend {}", backend.id);
    let Some(last) = report.stages.last() else {
        return vec![Check::wrong(name, "no stage of its test was run", "Report this as a bug.")];
    };
    if !report.ok {
        let stage = format!("{:?}", last.stage).to_lowercase();
        return vec![Check::wrong(name, format!("{stage}: {}", last.message), &last.fix)];
    }
    let mut checks = vec![Check::well(&name, format!("{} answers: {}", backend.url, last.message))];
    let version = report.identity.as_ref().and_then(|identity| identity.version.as_deref());
    if let Some(hole) = version.and_then(|version| holes(backend.kind, version)) {
        checks.push(Check::wrong(format!("{name} version"), hole.told(), hole.remedy()));
    }
    checks
}

/// What runs on this machine and is no backend.
async fn found(config: &Config) -> Vec<Check> {
    if !config.discovery.enabled {
        return vec![Check::well("discovery", "off")];
    }
    let swept = sweep(&config.discovery.scope(), |_| {}).await;
    let is_new = |url: &Address| !config.backends.values().any(|backend| same(&backend.url, url));
    let strangers = swept.found.iter().filter(|find| is_new(&find.url)).map(|find| {
        let title = find.title.as_deref().unwrap_or(find.kind.title());
        Check::well("discovery", format!("{title} runs at {} and is no backend", find.url))
            .but(format!("Add it where it is wanted: (kind: {}, url: \"{}\").", find.kind, find.url))
    });
    let silent = swept.silent.iter().filter(|url| is_new(url)).map(|url| {
        Check::well("discovery", format!("{url} takes connections and does not say what it is"))
            .but("If it is a backend, it is still starting or hangs: look at its window, and restart it.")
    });
    let checks: Vec<_> = strangers.chain(silent).collect();
    if checks.is_empty() {
        let message = format!("{} ports looked at, nothing that is not configured", swept.scanned);
        return vec![Check::well("discovery", message)];
    }
    checks
}

/// Whether two addresses lead to one port of one machine.
fn same(a: &Address, b: &Address) -> bool {
    a.port() == b.port() && (a.host() == b.host() || (a.is_loopback() && b.is_loopback()))
}

#[derive(Deserialize)]
struct Listed {
    notices: Vec<Told>,
}

#[derive(Deserialize)]
struct Told {
    code: String,
    severity: String,
    backend: Option<String>,
    message: String,
    fix: String,
}

/// What the running instance has to say.
pub(super) async fn running(instance: &Reached) -> Vec<Check> {
    let listed: Listed = match instance.get("api/v1/notices").await {
        Ok(listed) => listed,
        Err(_) => {
            let message = "the running instance does not tell its notices";
            return vec![Check::wrong("notices", message, "Restart it: it may be of another version.")];
        }
    };
    if listed.notices.is_empty() {
        return vec![Check::well("notices", "the running instance has nothing to tell")];
    }
    let told = listed.notices.into_iter().map(|notice| {
        let of = notice.backend.map(|id| format!(" of {id}")).unwrap_or_default();
        let name = format!("notice {}{of}", notice.code);
        let ok = notice.severity == "info";
        Check { name, ok, message: notice.message, fix: notice.fix }
    });
    told.collect()
}
