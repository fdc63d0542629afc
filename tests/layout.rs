//! The house rules that no other tool checks: what lies where, how long a file grows, what never stands in one.
//! Each failure names the file and the remedy.

use std::{fs, path::Path, process::Command};

const VISIBLE: [&str; 7] = ["Cargo.lock", "Cargo.toml", "README.md", "config", "src", "supervisors", "tests"];
const LONGEST: usize = 300;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file that git tracks or would track, relative to the root and with `/` between its parts.
fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .expect("git runs");
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let mut files: Vec<String> = String::from_utf8(listed.stdout)
        .expect("file names are UTF-8")
        .split_terminator('\0')
        .filter(|file| root().join(file).is_file())
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    assert!(
        files.iter().any(|file| file == "Cargo.toml"),
        "git lists no Cargo.toml: is this the repository?"
    );
    files
}

/// The Rust files of the product: of the library, the binary and the supervisors.
fn sources() -> Vec<(String, String)> {
    let ours = |file: &str| file.starts_with("src/") || file.starts_with("supervisors/src/");
    texts().into_iter().filter(|(file, _)| file.ends_with(".rs") && ours(file)).collect()
}

/// Every file with its text, as far as it is text.
fn texts() -> Vec<(String, String)> {
    let text = |file: String| {
        let bytes = fs::read(root().join(&file)).unwrap_or_else(|cause| panic!("{file}: {cause}"));
        (file, String::from_utf8_lossy(&bytes).into_owned())
    };
    files().into_iter().map(text).collect()
}

fn none(problems: &[String], remedy: &str) {
    assert!(problems.is_empty(), "\n{}\nRemedy: {remedy}\n", problems.join("\n"));
}

#[test]
fn seven_entries_stand_at_the_top() {
    let mut entries: Vec<String> = files()
        .iter()
        .filter_map(|file| file.split('/').next())
        .filter(|entry| !entry.starts_with('.'))
        .map(str::to_owned)
        .collect();
    entries.dedup();
    let unknown = entries.iter().filter(|entry| !VISIBLE.contains(&entry.as_str()));
    let missing = VISIBLE.iter().filter(|entry| !entries.iter().any(|found| found == *entry));
    let problems: Vec<String> = unknown
        .map(|entry| format!("{entry}: a visible entry beside the seven"))
        .chain(missing.map(|entry| format!("{entry}: missing")))
        .collect();
    none(&problems, "settings of tools go into dotfiles, everything else below the seven entries");
}

#[test]
fn no_source_file_outgrows_its_noun() {
    let problems: Vec<String> = sources()
        .iter()
        .filter(|(file, _)| !is_test(file))
        .map(|(file, text)| (file, lines_without_tests(text)))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(file, lines)| format!("{file}: {lines} lines without its tests, over {LONGEST}"))
        .collect();
    none(&problems, "find the second noun in the file and move it into a file of its name");
}

fn is_test(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

/// Unit tests stand last in a file, as an inline module.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests =
        lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].ends_with("mod tests {"));
    tests.unwrap_or(lines.len())
}

#[test]
fn no_file_is_called_mod() {
    let problems: Vec<String> = files().into_iter().filter(|file| file.ends_with("/mod.rs")).collect();
    none(&problems, "name the file after its module: foo.rs beside foo/");
}

#[test]
fn nothing_is_left_undone() {
    let marks = ["todo!(", "unimplemented!(", "FIXME"];
    let problems = places(&sources(), |line| marks.iter().any(|mark| line.contains(mark)));
    none(&problems, "finish it, or take it out and name it in an issue");
}

#[test]
fn each_source_file_says_what_it_holds() {
    let problems: Vec<String> = sources()
        .into_iter()
        // Tests say what they hold by their names.
        .filter(|(file, text)| !is_test(file) && !text.starts_with("//!"))
        .map(|(file, _)| format!("{file}: does not begin with a //! doc"))
        .collect();
    none(&problems, "begin the file with a sentence that says what it holds and why");
}

#[test]
fn no_merge_is_half_done() {
    let problems = places(&texts(), |line| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> "));
    none(&problems, "keep what both sides meant, and take the marks out");
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    // In pieces, or this file would name them.
    let paths = ["work", "farm", "root", "tmp/bash_jobs"].map(|directory| ["/", directory, "/"].concat());
    let problems = places(&texts(), |line| paths.iter().any(|path| line.contains(path)));
    none(&problems, "use a path relative to the project, or one that the test makes");
}

/// `file:line: text` of each line that matches.
fn places(texts: &[(String, String)], matches: impl Fn(&str) -> bool) -> Vec<String> {
    texts
        .iter()
        .flat_map(|(file, text)| text.lines().enumerate().map(move |(at, line)| (file, at + 1, line)))
        .filter(|(_, _, line)| matches(line))
        .map(|(file, at, line)| format!("{file}:{at}: {}", line.trim().chars().take(120).collect::<String>()))
        .collect()
}

/// The API's description has one list of names: of two types with one name the second is described as the first.
#[test]
fn no_two_types_of_the_api_share_a_name() {
    let mut known = std::collections::BTreeMap::<String, String>::new();
    let mut twice = Vec::new();
    for (file, text) in sources() {
        for derived in text.split("ToSchema)").skip(1) {
            let words: Vec<&str> = derived.split_whitespace().collect();
            let name =
                words.windows(2).find(|pair| ["struct", "enum"].contains(&pair[0])).map(|pair| pair[1]);
            let Some(name) = name.map(|name| name.split(['<', '(', ';', '{']).next().unwrap_or(name)) else {
                continue;
            };
            if let Some(other) = known.insert(name.to_owned(), file.clone()) {
                twice.push(format!("{name}: {other} and {file}"));
            }
        }
    }
    assert!(known.len() > 50, "types of the API are not found any more: {known:?}");
    none(&twice, "give one of them a name that says what it is");
}
