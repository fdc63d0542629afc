//! Logs: for people on standard error, and for a bug report in a bounded rolling file of the state directory.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tracing_subscriber::{EnvFilter, Layer, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt};

use super::{
    args::{Common, LogFormat},
    print::errln,
};
use crate::config::LogConfig;

/// How much a command says when nobody asks for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Long-running: what happens.
    Telling,
    /// Short: what went wrong.
    Reticent,
}

/// Installs the binary's logger; the library never does.
pub(crate) fn install(common: &Common, voice: Voice, file: Option<(PathBuf, LogConfig)>) {
    let level = match (common.quiet, common.verbose, voice) {
        (true, ..) => "error",
        (_, 0, Voice::Reticent) => "error",
        (_, 0, Voice::Telling) => "info",
        (_, 1, _) => "debug",
        _ => "trace",
    };
    let named = std::env::var("BACKLINE_LOG").or_else(|_| std::env::var("RUST_LOG")).ok();
    let filter =
        named.unwrap_or_else(|| format!("warn,backline={level},backline_supervisors={level},wire={level}"));
    let console = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let console = match common.log_format {
        LogFormat::Json => console.json().boxed(),
        LogFormat::Text => console.with_ansi(ansi(common)).with_target(false).boxed(),
    };
    let rolling =
        file.and_then(|(directory, limits)| match Rolling::open(&directory.join("backline.log"), limits) {
            Ok(rolling) => {
                Some(tracing_subscriber::fmt::layer().json().with_writer(rolling).with_filter(file_filter()))
            }
            Err(error) => {
                errln!("backline: warning: {}: no log can be kept: {error}", directory.display());
                None
            }
        });
    // A second logger in one process is a test's; the first one stays.
    let _ = tracing_subscriber::registry()
        .with(crate::http::logs::layer().with_filter(file_filter()))
        .with(rolling)
        .with(console.with_filter(EnvFilter::new(filter)))
        .try_init();
}

fn file_filter() -> EnvFilter {
    EnvFilter::new("warn,backline=debug,backline_supervisors=info,wire=debug")
}

fn ansi(common: &Common) -> bool {
    use std::io::IsTerminal;
    match common.color {
        clap::ColorChoice::Always => true,
        clap::ColorChoice::Never => false,
        clap::ColorChoice::Auto => io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    }
}

/// A log file that is moved aside when it is full; so many are kept.
#[derive(Clone)]
struct Rolling(Arc<Mutex<Current>>);

struct Current {
    path: PathBuf,
    limits: LogConfig,
    file: File,
    size: u64,
}

impl Rolling {
    fn open(path: &Path, limits: LogConfig) -> io::Result<Self> {
        let file = private_file(path)?;
        let size = file.metadata()?.len();
        Ok(Self(Arc::new(Mutex::new(Current { path: path.to_owned(), limits, file, size }))))
    }
}

/// Prompts may stand in a log: the owner alone reads it.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl Current {
    fn roll(&mut self) -> io::Result<()> {
        let name = |turn: u32| self.path.with_extension(format!("log.{turn}"));
        for turn in (1..self.limits.files.saturating_sub(1)).rev() {
            if name(turn).exists() {
                std::fs::rename(name(turn), name(turn + 1))?;
            }
        }
        if self.limits.files > 1 {
            std::fs::rename(&self.path, name(1))?;
        } else {
            std::fs::remove_file(&self.path)?;
        }
        self.file = private_file(&self.path)?;
        self.size = 0;
        Ok(())
    }
}

impl Write for Rolling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if current.size + bytes.len() as u64 > current.limits.size && current.size > 0 {
            current.roll()?;
        }
        let written = current.file.write(bytes)?;
        current.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).file.flush()
    }
}

impl<'a> MakeWriter<'a> for Rolling {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_stays_within_its_bounds() {
        let directory = tempfile::tempdir().unwrap();
        let mut limits = LogConfig::default();
        (limits.size, limits.files) = (100, 3);
        let mut log = Rolling::open(&directory.path().join("backline.log"), limits).unwrap();
        for turn in 0..100 {
            log.write_all(format!("line {turn:03} of the log\n").as_bytes()).unwrap();
        }
        let files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|f| f.unwrap().path()).collect();
        assert_eq!(files.len(), 3, "{files:?}");
        for file in &files {
            assert!(file.metadata().unwrap().len() <= 100);
        }
        let last = std::fs::read_to_string(directory.path().join("backline.log")).unwrap();
        assert!(last.ends_with("line 099 of the log\n"), "{last}");
    }
}
