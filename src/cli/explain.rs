//! `backline explain`: the page of one cause, offline.

use std::process::ExitCode;

use serde::Serialize;

use super::{
    args::{Common, Explain},
    outcome::{Stop, print_json},
    print::outln,
};
use crate::{
    model::{Class, Code},
    notices::catalogue,
};

#[derive(Serialize)]
struct Page {
    code: &'static str,
    class: Class,
    title: &'static str,
    likely: &'static str,
    fix: &'static str,
}

pub(crate) fn explain(common: &Common, explain: &Explain) -> Result<ExitCode, Stop> {
    let Some(name) = &explain.code else {
        let all: Vec<_> = Code::ALL.iter().map(|c| page(*c)).collect();
        if common.json {
            print_json(&all);
        } else {
            all.iter().for_each(|page| outln!("{:<20} {}", page.code, page.title));
        }
        return Ok(ExitCode::SUCCESS);
    };
    let found = Code::ALL.iter().find(|c| c.as_str() == name);
    let page = page(*found.ok_or_else(|| {
        let near = Code::ALL.iter().max_by(|a, b| {
            let score = |c: &Code| strsim::jaro_winkler(c.as_str(), name);
            score(a).total_cmp(&score(b))
        });
        let near = near.map_or("", |c| c.as_str());
        let shown: String = name.chars().take(80).collect();
        Stop::usage(
            format!("there is no cause `{shown}`; did you mean `{near}`?"),
            "`backline explain` lists all.",
        )
    })?);
    if common.json {
        print_json(&page);
    } else {
        outln!("{} ({})\n\n{}\n\nFix: {}", page.title, page.code, page.likely, page.fix);
    }
    Ok(ExitCode::SUCCESS)
}

fn page(code: Code) -> Page {
    let entry = catalogue::entry(code);
    Page {
        code: code.as_str(),
        class: code.class(),
        title: entry.title,
        likely: entry.likely,
        fix: entry.fix,
    }
}
