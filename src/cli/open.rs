//! `backline open`: a fresh address of the running instance's dashboard.

use std::process::ExitCode;

use http::Method;
use serde::{Deserialize, Serialize};

use super::{
    args::{Common, Open},
    instance::Instance,
    outcome::{Stop, print_json},
    print::outln,
    setup,
};

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Serialize)]
struct Opened<'a> {
    dashboard: &'a str,
}

pub(crate) async fn open(common: &Common, open: Open) -> Result<ExitCode, Stop> {
    let reached = Instance::find(&setup::state_dir(None)?).await?;
    let Code { code } = reached.ask(Method::POST, "api/v1/session/code").await?;
    let url = format!("http://{}/#{code}", reached.instance.address);
    if common.json {
        print_json(&Opened { dashboard: &url });
    } else if open.print {
        outln!("{url}");
    }
    if !open.print && !common.json {
        browse(&url)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Hands the address to the desktop.
fn browse(url: &str) -> Result<(), Stop> {
    let (program, before): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let quiet = std::process::Stdio::null;
    let started =
        std::process::Command::new(program).args(before).arg(url).stdout(quiet()).stderr(quiet()).status();
    match started {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Stop::new(
            super::outcome::FAILED,
            format!("no browser could be started; the address is {url}"),
            "Open it by hand.",
        )),
    }
}
