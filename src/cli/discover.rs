//! `backline discover`: what runs here, or where it is said.

use std::{io::IsTerminal, process::ExitCode};

use super::{
    args::{Common, Discover},
    log::{self, Voice},
    outcome::{NONE, Stop, print_json},
    print::{errln, outln},
    setup,
};
use crate::discovery::{Find, Need, Swept, sweep};

pub(crate) async fn discover(common: &Common, wish: Discover) -> Result<ExitCode, Stop> {
    let config = setup::load(common)?.config;
    log::install(common, Voice::Reticent, None);
    let scope = config.discovery.scope().hosts(wish.host).ports(wish.port);
    let live = !common.json && !common.quiet && std::io::stderr().is_terminal();
    let swept = sweep(&scope, |find| {
        if live {
            errln!("  found {} at {}", find.kind.title(), find.url);
        }
    })
    .await;
    for name in &swept.unresolved {
        errln!("backline: `{name}` does not resolve; nothing was looked at there");
    }
    if common.json {
        print_json(&swept);
    } else {
        print(&swept);
    }
    Ok(if swept.found.is_empty() { ExitCode::from(NONE) } else { ExitCode::SUCCESS })
}

fn print(swept: &Swept) {
    let rows: Vec<[String; 5]> = swept.found.iter().map(row).collect();
    let head = ["KIND", "ADDRESS", "VERSION", "TITLE", "NEEDS"].map(str::to_owned);
    let widths: Vec<usize> = (0..head.len())
        .map(|at| rows.iter().chain([&head]).map(|row| row[at].chars().count()).max().unwrap_or(0))
        .collect();
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    if !rows.is_empty() {
        outln!("{}", line(&head));
    }
    for row in &rows {
        outln!("{}", line(row));
    }
    for url in &swept.silent {
        outln!(
            "{url} takes connections and did not say in 1.5 s what it is: starting, hung, or no backend; look again"
        );
    }
    let (count, scanned, took) = (rows.len(), swept.scanned, swept.took.as_secs_f64());
    match count {
        0 => outln!("nothing found on {scanned} ports in {took:.1} s; `--port P` looks elsewhere"),
        _ => outln!("{count} found on {scanned} ports in {took:.1} s"),
    }
}

fn row(find: &Find) -> [String; 5] {
    let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let needs = find.needs.map(|need| match need {
        Need::Auth => "a key or a log-in",
    });
    [
        find.kind.to_string(),
        find.url.to_string(),
        or_dash(find.version.as_deref()),
        or_dash(find.title.as_deref()),
        or_dash(needs),
    ]
}
