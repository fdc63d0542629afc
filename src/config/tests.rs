//! The whole way from files and variables to a configuration.

mod bad;
mod fuzz;
mod layers;
mod samples;
mod secrets;

use super::*;

/// A loader of a file among the fixtures, with these variables.
fn loader(file: &str, variables: &[(&str, &str)]) -> Loader {
    env(Loader::new().file(format!("tests/fixtures/config/{file}")), variables)
}

fn env(loader: Loader, variables: &[(&str, &str)]) -> Loader {
    loader.env(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// A directory with a `backline.ron`.
fn directory(text: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(FILE_NAME), text).unwrap();
    directory
}

/// A loader of a directory with this `backline.ron`, named.
fn named(directory: &tempfile::TempDir) -> Loader {
    Loader::new().file(directory.path().join(FILE_NAME))
}
