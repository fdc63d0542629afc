//! Versions of servers with known security holes.
//!
//! Only what a version alone tells: holes with a known release that closes them.

use crate::{
    model::{Code, Kind, Severity},
    notices::draft::Draft,
};

type Version = [u32; 3];

/// A hole and the versions that have it.
struct Hole {
    id: &'static str,
    what: &'static str,
    /// The first version that has it.
    from: Version,
    /// The first that has it no more.
    closed: Version,
    severity: Severity,
}

const fn hole(id: &'static str, what: &'static str, from: Version, closed: Version) -> Hole {
    Hole { id, what, from, closed, severity: Severity::Warning }
}

const COMFYUI: &[Hole] =
    &[hole("CVE-2026-56671", "files outside its folders can be read", [0, 0, 0], [0, 28, 0])];

const GRADIO: &[Hole] = &[
    hole("CVE-2024-47084", "with a cookie the origin check is skipped", [0, 0, 0], [4, 44, 0]),
    hole("CVE-2024-47165", "a page of origin `null` may call it", [0, 0, 0], [5, 0, 0]),
    hole("CVE-2024-47164", "the check of file paths can be evaded", [0, 0, 0], [5, 0, 0]),
    hole("CVE-2025-5320", "the origin check can be evaded", [0, 0, 0], [5, 6, 1]),
    hole("CVE-2026-28415", "its log-in can redirect to another site", [0, 0, 0], [6, 6, 0]),
    hole("CVE-2026-28416", "it can be made to call addresses of its network", [0, 0, 0], [6, 6, 0]),
    hole("CVE-2026-28414", "on Windows with Python 3.13 any file can be read", [0, 0, 0], [6, 7, 0]),
    hole("CVE-2026-49119", "its file explorer shows files outside its folder", [0, 0, 0], [6, 16, 0]),
    hole("CVE-2026-59806", "a file's address can lead a client elsewhere", [0, 0, 0], [6, 20, 0]),
];

const LITELLM: &[Hole] = &[
    hole("CVE-2024-6587", "a request can send the providers' keys elsewhere", [0, 0, 0], [1, 44, 8]),
    hole(
        "CVE-2026-42208",
        "anybody can read and change its database, without a key",
        [1, 81, 16],
        [1, 83, 7],
    ),
    hole("CVE-2026-49468", "a forged Host header evades its keys", [0, 0, 0], [1, 84, 0]),
    Hole {
        id: "LiteLLM 1.82.7 and 1.82.8 on PyPI",
        what: "these releases carried malware that steals keys: change every key that this machine held",
        from: [1, 82, 7],
        closed: [1, 82, 9],
        severity: Severity::Error,
    },
];

/// The notice of a version with known holes; `None`: none is known, or the version cannot be read.
pub(super) fn vulnerable(kind: Kind, version: &str) -> Option<Draft> {
    let (program, holes) = match kind {
        Kind::Comfyui => ("ComfyUI", COMFYUI),
        Kind::Gradio | Kind::Wan2gp => ("Gradio", GRADIO),
        Kind::Litellm => ("LiteLLM", LITELLM),
        Kind::Openai => return None,
    };
    let has = parse(version)?;
    let open: Vec<_> = holes.iter().filter(|h| h.from <= has && has < h.closed).collect();
    let severity = open.iter().map(|h| h.severity).max()?;
    let [major, minor, patch] = open.iter().map(|h| h.closed).max()?;
    let closed = format!("{major}.{minor}.{patch}");
    let names: Vec<_> = open.iter().map(|h| h.id).collect();
    let lines: Vec<_> = open.iter().map(|h| format!("{}: {}", h.id, h.what)).collect();
    let fix = match kind {
        Kind::Wan2gp => format!(
            "Wan2GP brings its own {program}: keep it on this machine alone, and update Wan2GP when it brings {closed}."
        ),
        _ => format!("Update {program} to {closed} or later; until then let only trusted machines reach it."),
    };
    let message = format!("{program} {version} has known security holes: {}", names.join(", "));
    let draft = Draft::new(Code::VersionVulnerable, severity);
    Some(draft.message(message).fix(fix).detail(lines.join("\n")))
}

/// The first three numbers: `1.83.7-stable` is 1.83.7, `0.28` is 0.28.0. A pre-release counts as its release.
fn parse(version: &str) -> Option<Version> {
    let mut parts = version.trim().trim_start_matches('v').split(['.', '-', '+']);
    let mut number = |missing: Option<u32>| -> Option<u32> {
        let Some(part) = parts.next() else { return missing };
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        part[..digits].parse().ok().or(missing)
    };
    Some([number(None)?, number(None)?, number(Some(0))?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_judged_by_the_ranges() {
        let ids = |kind, version: &str| vulnerable(kind, version).map(|d| d.message).unwrap_or_default();
        assert!(ids(Kind::Comfyui, "0.3.64").contains("CVE-2026-56671"));
        assert_eq!(ids(Kind::Comfyui, "0.28.0"), "");
        let wan = ids(Kind::Wan2gp, "5.29.0");
        assert!(wan.contains("CVE-2026-59806") && !wan.contains("CVE-2025-5320"), "{wan}");
        assert_eq!(ids(Kind::Gradio, "6.20.0"), "");
        assert!(ids(Kind::Gradio, "6.19.9").ends_with("holes: CVE-2026-59806"));
        assert!(!ids(Kind::Litellm, "1.81.15").contains("42208"));
        assert!(ids(Kind::Litellm, "1.83.6-stable").contains("42208"));
        assert!(!ids(Kind::Litellm, "1.83.7.rc.1").contains("42208"));
        assert_eq!(ids(Kind::Litellm, "1.84.0"), "");
        assert_eq!(ids(Kind::Litellm, "unknown"), "");
        assert_eq!(ids(Kind::Openai, "0.1.0"), "");
    }

    #[test]
    fn the_remedy_names_the_release_that_closes_all() {
        let draft = vulnerable(Kind::Gradio, "4.0").unwrap();
        assert!(draft.fix.contains("6.20.0"), "{}", draft.fix);
        assert_eq!(draft.detail.unwrap().lines().count(), 9);
    }

    #[test]
    fn a_release_with_malware_is_an_error() {
        assert_eq!(vulnerable(Kind::Litellm, "1.82.8").unwrap().severity, Severity::Error);
        assert_eq!(vulnerable(Kind::Litellm, "1.82.9").unwrap().severity, Severity::Warning);
    }
}
