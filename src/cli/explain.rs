//! `backline explain`: the page of one cause, offline.

use std::process::ExitCode;

use super::{
    args::{Common, Explain},
    outcome::{Stop, print_json},
    print::{out, outln},
};
use crate::{
    model::Code,
    notices::{Page, catalogue},
};

pub(crate) fn explain(common: &Common, explain: &Explain) -> Result<ExitCode, Stop> {
    let Some(name) = &explain.code else {
        let all: Vec<_> = Code::ALL.iter().map(|code| Page::of(*code)).collect();
        if common.json {
            print_json(&all);
        } else {
            all.iter().for_each(|page| outln!("{:<20} {}", page.code.as_str(), page.title));
        }
        return Ok(ExitCode::SUCCESS);
    };
    let page = Page::of(catalogue::find(name).map_err(|near| {
        let shown: String = name.chars().take(80).collect();
        Stop::usage(
            format!("there is no cause `{shown}`; did you mean `{near}`?"),
            "`backline explain` lists all.",
        )
    })?);
    if common.json {
        print_json(&page);
    } else {
        out!("{page}");
    }
    Ok(ExitCode::SUCCESS)
}
