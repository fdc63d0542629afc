//! What the command line takes.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};

use super::config::Config;
use crate::{
    discovery::{Host, PortRange},
    model::Capability,
};

/// Keeps an application connected to its generative-AI backends.
#[derive(Debug, Parser)]
#[command(name = "backline", version, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The configuration file [default: $BACKLINE_CONFIG, ./backline.ron, the user's].
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print one JSON document, or one a line for streams.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more; twice: everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say only what went wrong.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Colours.
    #[arg(long, global = true, default_value = "auto")]
    pub(crate) color: ColorChoice,
    /// Form of the log on standard error.
    #[arg(long, global = true, default_value = "text")]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show everything within a minute, on simulated backends.
    #[command(after_help = "Example: backline demo --stay")]
    Demo(Demo),
    /// Run the supervisor until it is stopped.
    #[command(after_help = "Example: backline --config studio.ron run --listen 127.0.0.1:7717")]
    Run(Run),
    /// Open the dashboard of the running instance.
    #[command(after_help = "Example: backline open --print")]
    Open(Open),
    /// Find backends by what they answer.
    #[command(after_help = "Examples:
  backline discover
  backline discover --port 9000-9100 --json
  backline discover --host render-box --host 10.0.0.0/28")]
    Discover(Discover),
    /// Test a backend, or any address, stage by stage; changes nothing.
    #[command(after_help = "Example: backline test http://127.0.0.1:8188")]
    Test(Test),
    /// Show what the running instance knows.
    #[command(after_help = "Example: backline status --json")]
    Status(Status),
    /// Run one piece of work and save what comes of it.
    #[command(after_help = "Examples:
  backline submit comfyui --workflow flow.json --set 3.seed=7 --out pictures
  backline submit wan2gp --call /generate --data '[\"a cat\", 4]'
  backline submit wan2gp --generate '{\"model_type\": \"t2v\", \"prompt\": \"a cat\"}'
  backline submit litellm --chat 'Why is the sky blue?'")]
    Submit(Box<Submit>),
    /// Show who can do what, and what shows it.
    #[command(after_help = "Examples:
  backline registry --capability image.generate
  backline --json registry > registry.json")]
    Registry(Registry),
    /// Show, watch, cancel, retry and erase jobs of the running instance.
    #[command(after_help = "Examples:
  backline jobs
  backline jobs list --state running,queued --json
  backline jobs watch 0b0c6a5e-8d3f-4f6e-9a57-2f3f1f0f7c11")]
    Jobs(Jobs),
    /// Show what is wrong, since when, and what to do about it.
    #[command(after_help = "Example: backline notices --all")]
    Notices(Notices),
    /// Explain a cause and what to do about it.
    #[command(after_help = "Example: backline explain connection_refused")]
    Explain(Explain),
    /// Check everything that a person would check, with causes and remedies.
    #[command(after_help = "Example: backline doctor --bundle report.json")]
    Doctor(Doctor),
    /// Make, check and show the configuration.
    #[command(after_help = "Example: backline config check")]
    Config(Config),
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Give up after so many seconds.
    #[arg(long, value_name = "N", default_value_t = 55)]
    pub(crate) seconds: u64,
    /// Go on until Ctrl-C, with the dashboard open.
    #[arg(long)]
    pub(crate) stay: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Where the API listens [default: 127.0.0.1:7717].
    #[arg(long, value_name = "ADDR", env = "BACKLINE_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,
    /// Serve no API and no dashboard.
    #[arg(long)]
    pub(crate) no_dashboard: bool,
    /// How long jobs may go on after a stop.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub(crate) grace: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// Print the address instead of opening it.
    #[arg(long)]
    pub(crate) print: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Discover {
    /// Look at this machine in place of this one: a name, an address, or a network of at most 256 (10.0.0.0/24).
    #[arg(long, value_name = "H", value_parser = |text: &str| text.parse::<Host>())]
    pub(crate) host: Vec<Host>,
    /// Look at these ports in place of the known ones.
    #[arg(long, value_name = "P|P-Q", value_parser = |text: &str| text.parse::<PortRange>())]
    pub(crate) port: Vec<PortRange>,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// A backend's id, or an address.
    pub(crate) target: String,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Show it again at each change.
    #[arg(long)]
    pub(crate) watch: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// A backend's id, a pool, or a capability.
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    /// Sets an input of the workflow.
    #[arg(long, value_name = "NODE.INPUT=VALUE", requires = "workflow")]
    pub(crate) set: Vec<String>,
    /// The function's arguments: a JSON list or object; {"$file": PATH} is uploaded.
    #[arg(long, value_name = "JSON", requires = "call", default_value = "[]")]
    pub(crate) data: String,
    /// The chat's model [default: the first that the backend lists].
    #[arg(long, value_name = "M", requires = "chat")]
    pub(crate) model: Option<String>,
    /// Where files are saved.
    #[arg(long, value_name = "DIR", default_value = "backline-outputs")]
    pub(crate) out: PathBuf,
    /// Return once the running instance has the job; print its id.
    #[arg(long)]
    pub(crate) detach: bool,
    /// A name for this request: asked again with it, the first job answers.
    #[arg(long, value_name = "K")]
    pub(crate) key: Option<String>,
    /// Say where it could run and what lacks where; run nothing.
    #[arg(long, conflicts_with_all = ["detach", "key"])]
    pub(crate) dry_run: bool,
    /// Higher goes first.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) priority: Option<i32>,
    /// How long to wait for the backend to be ready, where no instance runs.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) wait: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Jobs {
    #[command(subcommand)]
    pub(crate) command: Option<JobsCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// The jobs, the newest first.
    List(JobsList),
    /// All that is known of one.
    Show { id: String },
    /// Watch one to its end.
    Watch { id: String },
    /// Ask for the end of one.
    Cancel { id: String },
    /// Run one again that has ended and is not done.
    Retry { id: String },
    /// Erase one that has ended, with its files.
    Purge { id: String },
}

#[derive(Debug, Args)]
pub(crate) struct JobsList {
    /// Only those in these states, separated by commas.
    #[arg(long, value_name = "S,S")]
    pub(crate) state: Option<String>,
    /// So many at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// Only those that were accepted before this one.
    #[arg(long, value_name = "ID")]
    pub(crate) before: Option<String>,
}

impl Default for JobsCommand {
    fn default() -> Self {
        Self::List(JobsList { state: None, limit: 100, before: None })
    }
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct WorkArgs {
    /// A ComfyUI workflow in the API's format.
    #[arg(long, value_name = "FILE")]
    pub(crate) workflow: Option<PathBuf>,
    /// A Gradio function, by name or index.
    #[arg(long, value_name = "NAME")]
    pub(crate) call: Option<String>,
    /// The settings of a WanGP generation, or the file that holds them; {"$file": PATH} in them is uploaded.
    #[arg(long, value_name = "FILE|JSON")]
    pub(crate) generate: Option<String>,
    /// A question to a language model.
    #[arg(long, value_name = "TEXT")]
    pub(crate) chat: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Registry {
    /// Only those that can do this, best first: image.generate, text.chat and so on.
    #[arg(long, value_name = "C", value_parser = |text: &str| text.parse::<Capability>())]
    pub(crate) capability: Option<Capability>,
}

#[derive(Debug, Args)]
pub(crate) struct Notices {
    /// Also those that are over, dismissed or muted.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The cause's name, as `status` and the log show it; none lists all.
    pub(crate) code: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Also write one file for a bug report, without secrets.
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| format!("`{text}` is no time; write it like 5s or 250ms"))?;
    Duration::try_from(span).map_err(|_| "a wait is not negative".to_owned())
}
