//! `backline config import`: another file becomes the configuration, with a copy of the present one kept beside it.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::Serialize;

use super::{
    super::{
        args::Common,
        outcome::{Stop, print_json},
        print::{errln, outln},
        setup,
    },
    args::Import,
    unwritten,
};
use crate::config::{
    FILE_NAME, Loaded, Preset, ValueChange,
    difference::changes,
    import::Carried,
    saved::{create, replace},
};

/// Most copies that are kept of one file.
const BACKUPS: u32 = 1000;

#[derive(Serialize)]
struct Document<'a> {
    file: &'a Path,
    /// The copy of what was there.
    backup: Option<&'a Path>,
    changes: &'a [ValueChange],
    written: bool,
}

/// Whether anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    Dry,
    Wet,
}

impl Run {
    pub(super) fn of(dry: bool) -> Self {
        if dry { Self::Dry } else { Self::Wet }
    }
}

/// What is to become the configuration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    File(&'a Path),
    Preset(&'static Preset),
}

pub(super) fn import(common: &Common, import: &Import) -> Result<ExitCode, Stop> {
    adopt(common, Source::File(&import.file), Run::of(import.dry_run))
}

/// Makes a file or a preset the configuration.
pub(super) fn adopt(common: &Common, source: Source<'_>, run: Run) -> Result<ExitCode, Stop> {
    let loader = match source {
        Source::File(file) => setup::loader(common).file(file),
        Source::Preset(preset) => setup::loader(common).text(preset.name, preset.text),
    };
    let (coming, mut problems) = loader.gather();
    problems.0.extend(coming.written_out().0);
    if !problems.is_empty() {
        return Err(Stop::problems(&problems.sorted()));
    }
    let target = target(common)?;
    let carried = carry(source, &target)?;
    let changes = changes_of(common, &target, &coming);
    let backup = match run {
        Run::Wet => write(&target, carried.text())?,
        Run::Dry => None,
    };
    tell(common, run, &target, &carried);
    if common.json {
        let written = run == Run::Wet;
        print_json(&Document { file: &target, backup: backup.as_deref(), changes: &changes, written });
    } else {
        changes.iter().for_each(|change| outln!("{change}"));
        if changes.is_empty() {
            outln!("no value changes");
        }
    }
    if let Some(backup) = backup {
        errln!("what was there is kept as {}", backup.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// The file that is in use, or the user's own where there is none. A link is followed: it stays a link.
fn target(common: &Common) -> Result<PathBuf, Stop> {
    if let Some(file) = setup::loader(common).file_in_use() {
        return Ok(file.canonicalize().unwrap_or(file));
    }
    Ok(setup::user_directory()?.join(FILE_NAME))
}

fn carry(source: Source<'_>, target: &Path) -> Result<Carried, Stop> {
    let from = match source {
        Source::File(file) => file,
        Source::Preset(preset) => return Ok(Carried::Verbatim(preset.text.to_owned())),
    };
    if target.canonicalize().is_ok_and(|there| from.canonicalize().is_ok_and(|here| here == there)) {
        let message = format!("{}: is the configuration already", from.display());
        return Err(Stop::usage(message, "Name another file, or another configuration with `--config`."));
    }
    let directory = target.parent().unwrap_or(Path::new(""));
    let carried = Carried::of(from, directory).map_err(|problems| Stop::problems(&problems))?;
    match &carried {
        // A header without a secret may be written out, and would become a variable that nobody set.
        Carried::Rewritten(exported) if !exported.variables.is_empty() => {
            let message = format!(
                "{}: it extends others or names paths beside it, so it is written anew, and these values would be \
                 lost: {}",
                from.display(),
                exported.variables.join(", ")
            );
            Err(Stop::usage(message, "Refer to them by \"env:NAME\", or import one file without `extends`."))
        }
        _ => Ok(carried),
    }
}

/// Against what is in use now; against the defaults where there is nothing, or nothing that can be read.
fn changes_of(common: &Common, target: &Path, coming: &Loaded) -> Vec<ValueChange> {
    let defaults = || setup::loader(common).text("defaults", "(version: 1)").load();
    let present = match target.exists() {
        true => setup::loader(common).load().or_else(|problems| {
            errln!("backline: warning: what is there now has problems, so all is shown as new: {problems}");
            defaults()
        }),
        false => defaults(),
    };
    let present = present.map(|loaded| loaded.values()).unwrap_or_default();
    changes(&present, &coming.values())
}

/// Writes it, and gives the copy of what was there before.
fn write(target: &Path, text: &str) -> Result<Option<PathBuf>, Stop> {
    let remedy = "Check that the directory can be written; nothing was changed.";
    let failed = |e: io::Error| unwritten(target, &e, remedy);
    if let Some(directory) = target.parent() {
        std::fs::create_dir_all(directory).map_err(failed)?;
    }
    let before = match std::fs::read(target) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return create(target, text).map(|()| None).map_err(failed);
        }
        Err(e) => return Err(failed(e)),
    };
    let backup = keep(target, &before).map_err(failed)?;
    replace(target, text).map_err(failed)?;
    Ok(Some(backup))
}

/// A copy under the first free name of `backline.ron.bak`, `backline.ron.bak.1`, …
fn keep(target: &Path, before: &[u8]) -> io::Result<PathBuf> {
    for turn in 0..BACKUPS {
        let mut name = target.as_os_str().to_owned();
        name.push(if turn == 0 { ".bak".to_owned() } else { format!(".bak.{turn}") });
        let name = PathBuf::from(name);
        match create(&name, before) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
            Ok(()) => return Ok(name),
        }
    }
    Err(io::Error::other(format!("{BACKUPS} copies are kept already; delete the old ones")))
}

fn tell(common: &Common, run: Run, target: &Path, carried: &Carried) {
    if matches!(carried, Carried::Rewritten(_)) {
        errln!(
            "it is written anew, without its comments: what it extends, and paths beside it, are resolved"
        );
    }
    match run {
        Run::Dry => errln!("{} would be written", target.display()),
        Run::Wet => {
            errln!("{} is written", target.display());
            // A file in the working directory asks for trust anew; an old version is told of.
            for line in setup::loader(common).check().warnings.to_string().lines() {
                errln!("backline: warning: {line}");
            }
        }
    }
}
