//! The command line: one file a subcommand.
//!
//! Documents go to standard output, words for people and logs to standard error. Bad usage or configuration exits 2.

mod args;
mod config;
mod demo;
mod discover;
mod doctor;
mod explain;
mod follow;
mod instance;
mod jobs;
mod log;
mod notices;
mod open;
mod outcome;
mod print;
mod registry;
mod run;
mod setup;
mod status;
mod submit;
mod test;

use std::process::ExitCode;

use clap::Parser;

use self::{
    args::{Arguments, Command},
    outcome::Stop,
};

/// Runs the command that the process was called with.
pub fn main() -> ExitCode {
    // clap prints help and usage errors itself, and exits 2 for the latter.
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return Stop::failed(format!("no runtime can be made: {error}")).exit(arguments.common.json);
        }
    };
    hush_injected_panics();
    let json = arguments.common.json;
    let done = runtime.block_on(dispatch(arguments));
    // A blocking task that hangs (a name server) must not hold the exit.
    runtime.shutdown_background();
    match done.and_then(|code| print::delivered().map(|()| code)) {
        Ok(code) => code,
        Err(stop) => stop.exit(json),
    }
}

/// The demo's own panics are shown by the demo, in one line; all others as Rust shows them.
fn hush_injected_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload().downcast_ref::<String>();
        let injected = text.is_some_and(|text| text.starts_with("a panic was injected"));
        if !injected {
            usual(panic);
        }
    }));
}

async fn dispatch(arguments: Arguments) -> Result<ExitCode, Stop> {
    let common = arguments.common;
    match arguments.command {
        Command::Demo(demo) => Box::pin(demo::demo(&common, demo)).await,
        Command::Run(run) => Box::pin(run::run(&common, run)).await,
        Command::Open(open) => open::open(&common, open).await,
        Command::Discover(discover) => Box::pin(discover::discover(&common, discover)).await,
        Command::Test(test) => Box::pin(test::test(&common, test)).await,
        Command::Status(status) => status::status(&common, status).await,
        Command::Submit(submit) => Box::pin(submit::submit(&common, *submit)).await,
        Command::Registry(registry) => registry::registry(&common, &registry).await,
        Command::Jobs(jobs) => Box::pin(jobs::jobs(&common, jobs)).await,
        Command::Notices(notices) => notices::notices(&common, &notices).await,
        Command::Explain(explain) => explain::explain(&common, &explain),
        Command::Doctor(doctor) => Box::pin(doctor::doctor(&common, doctor)).await,
        Command::Config(config) => config::config(&common, config),
    }
}
