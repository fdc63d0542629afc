//! Committed traces, and skips that are seen.

use std::{fmt::Write as _, io::Write as _, path::PathBuf};

/// A committed trace.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Compares a trace with the committed one. The first lines that differ are shown with what is around them; all of the
/// new trace is left in a file.
pub fn compare(name: &str, trace: &[String]) {
    let wanted = std::fs::read_to_string(path(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let wanted: Vec<&str> = wanted.lines().collect();
    let place =
        (0..wanted.len().max(trace.len())).find(|i| wanted.get(*i).copied() != trace.get(*i).map(|l| &**l));
    let Some(place) = place else { return };
    let whole = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name.replace('/', "-"));
    std::fs::write(&whole, trace.join("\n") + "\n").unwrap();
    let mut shown = String::new();
    for i in place.saturating_sub(3)..place + 4 {
        let mark = if i == place { "-> " } else { "   " };
        writeln!(shown, "{mark}committed: {}", wanted.get(i).unwrap_or(&"(ended)")).unwrap();
        writeln!(shown, "{mark}      now: {}", trace.get(i).map_or("(ended)", |l| l)).unwrap();
    }
    panic!(
        "{name}: line {} of {} differs; all of it is in {}\n{shown}",
        place + 1,
        wanted.len(),
        whole.display()
    );
}

/// Says loudly that something was not tested.
pub fn skip(why: &str) {
    let line = format!("SKIP: {why}");
    eprintln!("{line}");
    if let Ok(path) = std::env::var("BACKLINE_SKIPS") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
        writeln!(file.unwrap_or_else(|e| panic!("{path}: {e}")), "{line}").unwrap();
    }
}
