//! `backline config trust`: the keys of a configuration file that nobody named may leave this machine.

use std::{path::Path, process::ExitCode};

use serde::Serialize;

use super::{
    super::{
        args::Common,
        outcome::{Stop, print_json},
        print::errln,
        setup,
    },
    args::Trust,
};
use crate::config::TrustList;

#[derive(Serialize)]
struct Document<'a> {
    file: &'a Path,
    digest: &'a str,
    trusted: bool,
}

pub(super) fn trust(common: &Common, trust: &Trust) -> Result<ExitCode, Stop> {
    let subject = setup::loader(common).trust_subject().map_err(|problems| Stop::problems(&problems))?;
    let Some(subject) = subject else {
        return Err(Stop::usage(
            "there is no configuration file here to be trusted",
            "Go to its directory, or name it with `--config`.",
        ));
    };
    let place = setup::trust_list()?;
    let failed = |e: std::io::Error| {
        Stop::usage(format!("{}: {e}", place.display()), "Check that the file can be read and written.")
    };
    let mut list = TrustList::load(&place).map_err(failed)?;
    let (path, digest) = (subject.path.as_path(), subject.digest.as_str());
    let trusted = !trust.forget;
    if trusted {
        list.trust(path, digest);
    } else if !list.forget(path) {
        errln!("{} was not trusted", path.display());
    }
    list.store(&place).map_err(failed)?;
    match trusted {
        true => errln!(
            "{} is trusted as it is now; when it, or a file that it extends, changes, it is to be trusted anew",
            path.display()
        ),
        false => errln!("{} is not trusted: its keys stay on this machine", path.display()),
    }
    if common.json {
        print_json(&Document { file: path, digest, trusted });
    }
    Ok(ExitCode::SUCCESS)
}
