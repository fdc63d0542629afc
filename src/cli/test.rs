//! `backline test`: a backend or an address, stage by stage.

use std::process::ExitCode;

use super::{
    args::{Common, Test},
    log::{self, Voice},
    outcome::{FAILED, Stop, print_json},
    print::outln,
    setup,
};
use crate::{
    config::BackendConfig,
    model::{BackendId, Fault, Kind},
    net::Address,
    supervisor::probe::{ProbeReport, probe},
};

pub(crate) async fn test(common: &Common, test: Test) -> Result<ExitCode, Stop> {
    let config = setup::load(common)?.config;
    log::install(common, Voice::Reticent, None);
    let report = match config.backends.get(test.target.as_str()) {
        Some(backend) => probe(backend).await,
        None => of_address(&test.target, config.backends.keys()).await?,
    };
    if common.json {
        print_json(&report);
    } else {
        print(&report);
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// An address says nothing of its kind: each is tried, and the one that went furthest is told. No key is sent.
async fn of_address(target: &str, known: impl Iterator<Item = &BackendId>) -> Result<ProbeReport, Stop> {
    if target.contains("://")
        && let Err(error) = Address::parse(target)
    {
        let fault = Fault::from(error);
        return Err(Stop::usage(fault.message(), fault.fix()));
    }
    let looks_like_one = target.contains(['.', ':', '/']) || target == "localhost";
    let address = Address::parse(target).ok().filter(|_| looks_like_one).ok_or_else(|| {
        let known: Vec<_> = known.map(BackendId::as_str).collect();
        let shown: String = target.chars().take(80).collect();
        let message = format!(
            "`{shown}` is neither a configured backend nor an address; configured: {}",
            known.join(", ")
        );
        Stop::usage(message, "Name a backend, or an address like http://127.0.0.1:8188.")
    })?;
    let id = BackendId::new("candidate").map_err(|e| Stop::failed(e.to_string()))?;
    let mut best: Option<ProbeReport> = None;
    for kind in [Kind::Comfyui, Kind::Gradio, Kind::Litellm, Kind::Openai] {
        let report = probe(&BackendConfig::new(id.clone(), kind, address.clone())).await;
        let unreachable = report.stages.len() < 3;
        let further = |other: &ProbeReport| report.stages.len() > other.stages.len();
        if report.ok || unreachable || best.as_ref().is_none_or(further) {
            let done = report.ok || unreachable;
            best = Some(report);
            if done {
                break;
            }
        }
    }
    best.ok_or_else(|| Stop::failed("no kind could be tried"))
}

fn print(report: &ProbeReport) {
    for stage in &report.stages {
        let mark = if stage.ok { "ok    " } else { "FAILED" };
        let name = format!("{:?}", stage.stage).to_lowercase();
        outln!("{mark} {name:<10} {:>8.1} ms  {}", stage.ms, stage.message);
        if !stage.fix.is_empty() {
            outln!("       fix: {}", stage.fix);
        }
    }
}
