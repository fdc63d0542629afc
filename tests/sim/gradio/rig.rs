//! What the tests share: an app, the way to it, and work for it.

use std::{sync::Arc, time::Duration};

use backline::{
    backends::{Attempt, Finished, Past, Setback, Start, Target, gradio::Gradio, target::Timeouts},
    model::{Kind, Work},
    net::Address,
    sim::gradio::{Options, SimGradio, Version},
};

use crate::{
    line::Line,
    log::{Log, end},
};

/// Runs a call to its end.
pub async fn call(line: &Line, function: &str, data: &str) -> Result<Finished, Setback> {
    end(line.run(attempt(function, data), &Arc::new(Log::default()))).await
}

pub fn attempt(function: &str, data: &str) -> Attempt {
    let data = serde_json::value::RawValue::from_string(data.to_owned()).unwrap();
    Attempt {
        work: Work::Call { function: function.to_owned(), data: data.into() },
        remote: uuid::Uuid::new_v4().to_string(),
        start: Start::Fresh,
        past: Past::default(),
    }
}

pub fn target(url: &str) -> Target {
    let mut target = Target::new("app".parse().unwrap(), Kind::Gradio, Address::parse(url).unwrap());
    target.timeouts = Timeouts { request: Duration::from_secs(3), ..Timeouts::default() };
    target
}

pub fn connector(sim: &SimGradio) -> Gradio {
    Gradio::new(target(&sim.server().url())).unwrap()
}

/// An app whose steps are short.
pub async fn sim(version: Version) -> SimGradio {
    sim_with(version, Options::default()).await
}

pub async fn sim_with(version: Version, options: Options) -> SimGradio {
    SimGradio::start(version, Options { step: Duration::from_millis(120), ..options }).await.unwrap()
}
