//! `backline config export`: the configuration as one file, without secrets.

use std::{path::Path, process::ExitCode};

use serde::Serialize;

use super::{
    super::{
        args::Common,
        outcome::{Stop, print_json},
        print::{errln, out},
        setup,
    },
    args::Export,
    unwritten,
};
use crate::config::{
    Exported,
    saved::{create, replace},
};

#[derive(Serialize)]
struct Document<'a> {
    file: &'a Path,
    variables: &'a [String],
}

pub(super) fn export(common: &Common, export: &Export) -> Result<ExitCode, Stop> {
    let exported = setup::load(common)?.export();
    if export.file.as_os_str() == "-" {
        out!("{}", exported.text);
        tell_variables(&exported);
        return Ok(ExitCode::SUCCESS);
    }
    write(&export.file, &exported, export.force)?;
    told(common, &export.file, &exported);
    Ok(ExitCode::SUCCESS)
}

/// Writes it for its owner alone, over another file only by force.
pub(super) fn write(file: &Path, exported: &Exported, force: bool) -> Result<(), Stop> {
    if file.is_dir() {
        let message = format!("{}: is a directory", file.display());
        return Err(Stop::usage(message, "Name a file in it."));
    }
    let written = if force { replace(file, &exported.text) } else { create(file, &exported.text) };
    written.map_err(|e| unwritten(file, &e, "Name another file, or write over it with `--force`."))
}

pub(super) fn told(common: &Common, file: &Path, exported: &Exported) {
    errln!("{} is written", file.display());
    tell_variables(exported);
    if common.json {
        print_json(&Document { file, variables: &exported.variables });
    }
}

fn tell_variables(exported: &Exported) {
    if !exported.variables.is_empty() {
        errln!("set these where it is used, in place of the secrets: {}", exported.variables.join(", "));
    }
}
