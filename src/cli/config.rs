//! `backline config`: make, check and show the configuration.

use std::{fs::OpenOptions, io::Write, process::ExitCode};

use serde::Serialize;

use super::{
    args::{Common, Config, ConfigCommand},
    outcome::{Stop, USAGE, print_json},
    print::{errln, out, outln},
    setup,
};
use crate::config::{ValueRow, init_text, preset, presets};

#[derive(Serialize)]
struct Values {
    values: Vec<ValueRow>,
}

pub(crate) fn config(common: &Common, config: Config) -> Result<ExitCode, Stop> {
    match config.command {
        ConfigCommand::Init => init(common),
        ConfigCommand::Check => Ok(check(common)),
        ConfigCommand::Show => show(common),
        ConfigCommand::Presets { name } => list(name.as_deref()),
    }
}

fn init(common: &Common) -> Result<ExitCode, Stop> {
    let place = common.config.clone().unwrap_or_else(|| "backline.ron".into());
    let made = OpenOptions::new().create_new(true).write(true).open(&place);
    let written = made.and_then(|mut file| file.write_all(init_text().as_bytes()));
    written.map_err(|e| {
        Stop::usage(format!("{}: cannot be made: {e}", place.display()), "Name another file with `--config`.")
    })?;
    errln!("{} is written; edit it, then run `backline config check`", place.display());
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
    let loaded = setup::load(common)?;
    let values = loaded.values();
    if common.json {
        print_json(&Values { values });
    } else {
        for row in values {
            let value = serde_json::to_string(&row.value).unwrap_or_default();
            outln!("{:<44} {value:<30} {}", row.path, row.source);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(name: Option<&str>) -> Result<ExitCode, Stop> {
    let Some(name) = name else {
        for preset in presets() {
            outln!("{:<24} {}", preset.name, preset.title);
        }
        return Ok(ExitCode::SUCCESS);
    };
    let Some(preset) = preset(name) else {
        let known: Vec<_> = presets().iter().map(|p| p.name).collect();
        return Err(Stop::usage(
            format!("there is no preset `{name}`"),
            format!("They are: {}.", known.join(", ")),
        ));
    };
    out!("{}", preset.text);
    Ok(ExitCode::SUCCESS)
}
