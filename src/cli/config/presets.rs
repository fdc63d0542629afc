//! `backline config presets`: configurations to begin with, Backline's and the user's.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::Serialize;

use super::{
    super::{
        args::Common,
        outcome::{Stop, print_json},
        print::{out, outln},
        setup,
    },
    args::{Presets, PresetsCommand, Save, Use},
    export, import,
    import::{Run, Source},
};
use crate::config::{preset, presets as built_in, saved::is_own, saved_path, saved_presets};

#[derive(Serialize)]
struct List {
    presets: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    title: String,
    /// `built in`, or `file:PATH`.
    source: String,
}

#[derive(Serialize)]
struct One<'a> {
    name: &'a str,
    text: &'a str,
}

pub(super) fn presets(common: &Common, presets: Presets) -> Result<ExitCode, Stop> {
    match (presets.command, presets.name) {
        (Some(PresetsCommand::Save(save)), _) => self::save(common, &save),
        (Some(PresetsCommand::Use(chosen)), _) => use_it(common, &chosen),
        (None, Some(name)) => one(common, &name),
        (None, None) => list(common),
    }
}

fn list(common: &Common) -> Result<ExitCode, Stop> {
    let directory = directory()?;
    let mut rows: Vec<_> = built_in()
        .iter()
        .map(|preset| Row {
            name: preset.name.to_owned(),
            title: preset.title.to_owned(),
            source: "built in".to_owned(),
        })
        .collect();
    for name in saved(&directory)? {
        let path = path_of(&directory, &name)?;
        let source = format!("file:{}", path.display());
        rows.push(Row { name, title: "Saved by you.".to_owned(), source });
    }
    if common.json {
        print_json(&List { presets: rows });
    } else {
        rows.iter().for_each(|row| outln!("{:<24} {}", row.name, row.title));
    }
    Ok(ExitCode::SUCCESS)
}

fn one(common: &Common, name: &str) -> Result<ExitCode, Stop> {
    let text = match preset(name) {
        Some(preset) => preset.text.to_owned(),
        None => {
            let path = existing(name)?;
            std::fs::read_to_string(&path).map_err(|e| unreadable(&path, &e))?
        }
    };
    if common.json {
        print_json(&One { name, text: &text });
    } else {
        out!("{text}");
    }
    Ok(ExitCode::SUCCESS)
}

fn save(common: &Common, save: &Save) -> Result<ExitCode, Stop> {
    let directory = directory()?;
    let path = path_of(&directory, &save.name)?;
    if is_own(&save.name) {
        let message = format!("`{}` is a name of Backline's own", save.name);
        return Err(Stop::usage(message, "Choose another name."));
    }
    let exported = setup::load(common)?.export();
    std::fs::create_dir_all(&directory).map_err(|e| unreadable(&directory, &e))?;
    export::write(&path, &exported, save.force)?;
    export::told(common, &path, &exported);
    Ok(ExitCode::SUCCESS)
}

fn use_it(common: &Common, chosen: &Use) -> Result<ExitCode, Stop> {
    let run = Run::of(chosen.dry_run);
    match preset(&chosen.name) {
        Some(preset) => import::adopt(common, Source::Preset(preset), run),
        None => import::adopt(common, Source::File(&existing(&chosen.name)?), run),
    }
}

/// The file of a preset of the user's.
fn existing(name: &str) -> Result<PathBuf, Stop> {
    let directory = directory()?;
    let known = saved(&directory)?;
    if known.iter().any(|saved| saved == name) {
        return path_of(&directory, name);
    }
    let all: Vec<_> =
        built_in().iter().map(|preset| preset.name).chain(known.iter().map(String::as_str)).collect();
    let shown: String = name.chars().take(80).collect();
    Err(Stop::usage(format!("there is no preset `{shown}`"), format!("They are: {}.", all.join(", "))))
}

fn directory() -> Result<PathBuf, Stop> {
    Ok(setup::user_directory()?.join("presets"))
}

fn saved(directory: &Path) -> Result<Vec<String>, Stop> {
    saved_presets(directory).map_err(|e| unreadable(directory, &e))
}

fn path_of(directory: &Path, name: &str) -> Result<PathBuf, Stop> {
    saved_path(directory, name).map_err(|e| match e.kind() {
        ErrorKind::InvalidInput => Stop::usage(e.to_string(), "Choose another name."),
        _ => unreadable(directory, &e),
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Stop {
    Stop::usage(format!("{}: {error}", path.display()), "Check the directory and who may use it.")
}
