//! How a command ends.

use std::process::ExitCode;

use serde::Serialize;

use super::print::{errln, outln};

/// Why a command stopped short: one line with the cause and the place, one with the remedy, and the exit code.
#[derive(Debug)]
pub(crate) struct Stop {
    lines: Vec<String>,
    fix: String,
    code: u8,
}

/// Exit codes of the contract.
pub(crate) const FAILED: u8 = 1;
pub(crate) const USAGE: u8 = 2;
pub(crate) const NONE: u8 = 3;
pub(crate) const NO_INSTANCE: u8 = 4;
pub(crate) const UNCERTAIN: u8 = 5;

#[derive(Serialize)]
struct Document<'a> {
    error: Shown<'a>,
}

#[derive(Serialize)]
struct Shown<'a> {
    message: String,
    fix: &'a str,
}

impl Stop {
    pub(crate) fn new(code: u8, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { lines: vec![message.into()], fix: fix.into(), code }
    }

    /// The command went wrong.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(FAILED, message, "")
    }

    /// Bad usage or configuration: nothing was started.
    pub(crate) fn usage(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(USAGE, message, fix)
    }

    /// Every problem of a configuration, a line each.
    pub(crate) fn problems(problems: &crate::config::Problems) -> Self {
        Self {
            lines: problems.to_string().lines().map(str::to_owned).collect(),
            fix: String::new(),
            code: USAGE,
        }
    }

    /// No instance runs.
    pub(crate) fn no_instance(why: &str) -> Self {
        Self::new(NO_INSTANCE, format!("no running instance: {why}"), "Start one with `backline run`.")
    }

    /// Whether it says that no instance runs, or none any more.
    pub(crate) const fn is_no_instance(&self) -> bool {
        self.code == NO_INSTANCE
    }

    pub(crate) fn exit(self, json: bool) -> ExitCode {
        if json {
            let error = Shown { message: self.lines.join("\n"), fix: &self.fix };
            print_json(&Document { error });
        }
        for line in &self.lines {
            errln!("backline: {line}");
        }
        if !self.fix.is_empty() {
            errln!("  fix: {}", self.fix);
        }
        ExitCode::from(self.code)
    }
}

impl From<crate::Error> for Stop {
    fn from(error: crate::Error) -> Self {
        Self::new(FAILED, error.to_string(), error.fix())
    }
}

/// One document on a line of standard output.
pub(crate) fn print_json(document: &impl Serialize) {
    match serde_json::to_string(document) {
        Ok(text) => outln!("{text}"),
        Err(error) => errln!("backline: a document cannot be written as JSON: {error}"),
    }
}
