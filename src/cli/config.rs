//! `backline config`: make, check, show and move the configuration.

mod args;
mod export;
mod import;
mod presets;
mod trust;

use std::{io, path::Path, process::ExitCode};

use serde::Serialize;

pub(crate) use self::args::Config;
use self::args::ConfigCommand;
use super::{
    args::Common,
    outcome::{Stop, USAGE, print_json},
    print::{errln, outln},
    setup,
};
use crate::{
    config::{FILE_NAME, Loaded, ValueRow, difference::shown, init_text, saved::create},
    settings::{layers::Layers, shelf::Kept},
};

#[derive(Serialize)]
struct Values {
    values: Vec<ValueRow>,
}

#[derive(Serialize)]
struct Made<'a> {
    file: &'a Path,
}

pub(crate) fn config(common: &Common, config: Config) -> Result<ExitCode, Stop> {
    match config.command {
        ConfigCommand::Init => init(common),
        ConfigCommand::Check => Ok(check(common)),
        ConfigCommand::Show => show(common),
        ConfigCommand::Import(import) => import::import(common, &import),
        ConfigCommand::Export(export) => export::export(common, &export),
        ConfigCommand::Presets(presets) => presets::presets(common, presets),
        ConfigCommand::Trust(trust) => trust::trust(common, &trust),
    }
}

fn init(common: &Common) -> Result<ExitCode, Stop> {
    let file = common.config.clone().unwrap_or_else(|| FILE_NAME.into());
    create(&file, init_text()).map_err(|e| unwritten(&file, &e, "Name another file with `--config`."))?;
    errln!("{} is written; edit it, then run `backline config check`", file.display());
    if common.json {
        print_json(&Made { file: &file });
    }
    Ok(ExitCode::SUCCESS)
}

fn check(common: &Common) -> ExitCode {
    let checked = setup::loader(common).check();
    if common.json {
        print_json(&checked);
    } else {
        for line in checked.problems.to_string().lines() {
            outln!("{line}");
        }
        for line in checked.warnings.to_string().lines() {
            outln!("warning: {line}");
        }
        if checked.problems.is_empty() {
            outln!("no problems");
        }
    }
    if checked.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(USAGE) }
}

fn show(common: &Common) -> Result<ExitCode, Stop> {
    let values = whole(common)?.values();
    if common.json {
        print_json(&Values { values });
        return Ok(ExitCode::SUCCESS);
    }
    for row in values {
        let line = row.line.map(|line| format!(":{line}")).unwrap_or_default();
        let over = row.masks.as_ref().map(|masked| format!(", over {masked}")).unwrap_or_default();
        outln!("{:<44} {:<30} {}{line}{over}", row.path, shown(&row), row.source);
    }
    Ok(ExitCode::SUCCESS)
}

/// All layers: with what was edited through the API and what was found, as the state directory keeps them.
pub(crate) fn whole(common: &Common) -> Result<Loaded, Stop> {
    let loaded = setup::load(common)?;
    let kept = match Kept::peek(&setup::state_dir(Some(&loaded.config))?) {
        Ok(kept) => kept,
        Err(trouble) => {
            errln!("backline: warning: {trouble}; edits and finds are not shown");
            return Ok(loaded);
        }
    };
    match Layers::Read(Box::new(setup::loader(common))).load(&kept.edits, &kept.book) {
        Ok(outcome) => Ok(outcome.loaded),
        Err(broken) => {
            let problems = broken.problems;
            errln!("backline: warning: what was edited does not fit the file any more, and does not count:");
            problems.to_string().lines().for_each(|line| errln!("backline: warning: {line}"));
            Ok(loaded)
        }
    }
}

/// Why a file is not there now.
fn unwritten(file: &Path, error: &io::Error, remedy: &str) -> Stop {
    let message = match error.kind() {
        io::ErrorKind::AlreadyExists => format!("{}: it exists, and is not written over", file.display()),
        _ => format!("{}: cannot be written: {error}", file.display()),
    };
    Stop::usage(message, remedy)
}
