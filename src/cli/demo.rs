//! `backline demo`: everything within a minute, with nothing installed.

mod act;
mod cast;
mod chaos;
mod scratch;
mod stage;
mod story;

use std::{process::ExitCode, time::Duration};

use super::{
    args::{Common, Demo},
    log::{self, Voice},
    outcome::{FAILED, Stop, print_json},
    print::errln,
    run::Signals,
};

pub(crate) async fn demo(common: &Common, demo: Demo) -> Result<ExitCode, Stop> {
    log::install(common, Voice::Reticent, None);
    let signals = Signals::listen()?;
    let stage = stage::Stage::build().await?;
    let mut story = story::Story::new(common.json, stage.dashboard());
    if !common.json {
        errln!("dashboard: {}", stage.dashboard());
    }
    tokio::select! {
        () = act::play(&stage, &mut story) => {}
        () = tokio::time::sleep(Duration::from_secs(demo.seconds)) => {
            story.tell("in time", Err(format!("the demo was not done after {} s", demo.seconds)));
        }
        () = signals.received() => story.tell("in peace", Err("stopped by a signal".to_owned())),
    }
    if demo.stay && story.is_good() {
        errln!("the dashboard stays open until Ctrl-C: {}", stage.fresh_dashboard());
        Signals::listen()?.received().await;
    }
    let ok = story.is_good();
    stage.strike().await;
    if common.json {
        print_json(&story.document());
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}
