//! What `backline config` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(super) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Write a first backline.ron, commented; never over another file.
    #[command(after_help = "Example: backline --config studio.ron config init")]
    Init,
    /// Print every problem at once.
    #[command(after_help = "Example: backline --config studio.ron config check --json")]
    Check,
    /// Show every value and where it came from.
    #[command(after_help = "Example: BACKLINE_COMFYUI_URL=http://127.0.0.1:8189 backline config show")]
    Show,
    /// Make another file the configuration: checked first, its changes shown, the present one kept beside.
    #[command(after_help = "Example: backline config import profile.ron --dry-run")]
    Import(Import),
    /// Write the configuration as one file, without secrets.
    #[command(after_help = "Example: backline config export profile.ron")]
    Export(Export),
    /// List the presets, print one, use one, or save the configuration as one.
    #[command(after_help = "Examples:
  backline config presets
  backline config presets two-gpus
  backline config presets use two-gpus
  backline config presets save mine")]
    Presets(Presets),
    /// Trust the configuration file as it is now: its addresses may have keys off this machine.
    #[command(after_help = "Example: backline config trust")]
    Trust(Trust),
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file, as `config export` writes it.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// Where to; `-` is standard output.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Write over a file that exists.
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Presets {
    /// Which to print.
    #[arg(value_name = "NAME")]
    pub(super) name: Option<String>,
    #[command(subcommand)]
    pub(super) command: Option<PresetsCommand>,
}

#[derive(Debug, Subcommand)]
pub(super) enum PresetsCommand {
    /// Save the configuration as a preset of yours, without secrets.
    #[command(after_help = "Example: backline config presets save mine")]
    Save(Save),
    /// Make a preset the configuration, as `config import` does with a file.
    #[command(after_help = "Example: backline config presets use workstation")]
    Use(Use),
}

#[derive(Debug, Args)]
pub(super) struct Save {
    /// Its name: small letters, digits, `-` and `_`.
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// Write over a preset of yours that exists.
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(super) struct Use {
    /// Which; `backline config presets` lists them.
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Trust {
    /// Take the trust back.
    #[arg(long)]
    pub(super) forget: bool,
}
