//! Versions of servers with known security holes.
//!
//! Only what a version alone tells: holes with a known release that closes them.

use crate::{
    model::{Code, Kind, Severity},
    notices::draft::Draft,
    registry::{
        compatibility::{Compatibility, tested},
        version::Version,
    },
};

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

const fn hole(id: &'static str, what: &'static str, from: [u32; 3], closed: [u32; 3]) -> Hole {
    let (from, closed) = (Version(from), Version(closed));
    Hole { id, what, from, closed, severity: Severity::Warning }
}

const COMFYUI: &[Hole] = &[
    hole("CVE-2024-10481", "a page in the browser may send it requests", [0, 0, 0], [0, 2, 3]),
    hole("CVE-2026-56671", "files outside its folders can be read", [0, 0, 0], [0, 28, 0]),
];

/// The Gradio that WanGP 12.60 pins, whose page tells WanGP's own version only.
const PINNED: Version = Version([5, 29, 0]);
/// The first number of a version that is WanGP's own, and not a Gradio's.
const OWN: u32 = 8;

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
        from: Version([1, 82, 7]),
        closed: Version([1, 82, 9]),
        severity: Severity::Error,
    },
];

/// The notice of a version that is older than any that was tried; `None`: it is not, or the version cannot be read.
pub(crate) fn old(kind: Kind, version: &str) -> Option<Draft> {
    let told = Version::parse(version)?;
    if kind == Kind::Wan2gp && told.0[0] < OWN {
        // It is the Gradio's.
        return None;
    }
    let oldest =
        tested(kind).first().filter(|_| Compatibility::of(kind, Some(version)) == Compatibility::Older)?;
    let title = kind.title();
    let message = format!("{title} {version} is older than {oldest}, the oldest that Backline is tried with");
    let fix = format!("Update {title} to {oldest} or later.");
    Some(Draft::new(Code::VersionOld, Severity::Warning).message(message).fix(fix))
}

/// The notice of a version with known holes; `None`: none is known, or the version cannot be read.
pub(crate) fn vulnerable(kind: Kind, version: &str) -> Option<Draft> {
    let (program, holes) = match kind {
        Kind::Comfyui => ("ComfyUI", COMFYUI),
        Kind::Gradio | Kind::Wan2gp => ("Gradio", GRADIO),
        Kind::Litellm => ("LiteLLM", LITELLM),
        Kind::Openai => return None,
    };
    let told = Version::parse(version)?;
    let own = kind == Kind::Wan2gp && told.0[0] >= OWN;
    let has = if own { PINNED } else { told };
    let open: Vec<_> = holes.iter().filter(|h| h.from <= has && has < h.closed).collect();
    let severity = open.iter().map(|h| h.severity).max()?;
    let closed = open.iter().map(|h| h.closed).max()?;
    let names: Vec<_> = open.iter().map(|h| h.id).collect();
    let lines: Vec<_> = open.iter().map(|h| format!("{}: {}", h.id, h.what)).collect();
    let fix = match kind {
        Kind::Wan2gp => format!(
            "Wan2GP brings its own {program}: keep it on this machine alone, and update Wan2GP when it brings {closed}."
        ),
        _ => format!("Update {program} to {closed} or later; until then let only trusted machines reach it."),
    };
    let which = if own { format!("{has}, which WanGP {version} brings,") } else { version.to_owned() };
    let message = format!("{program} {which} has known security holes: {}", names.join(", "));
    let draft = Draft::new(Code::VersionVulnerable, severity);
    Some(draft.message(message).fix(fix).detail(lines.join("\n")))
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
        let own = ids(Kind::Wan2gp, "v12.60");
        assert!(own.starts_with("Gradio 5.29.0, which WanGP v12.60 brings, has known"), "{own}");
        assert!(own.contains("CVE-2026-59806"), "{own}");
        assert!(ids(Kind::Comfyui, "0.2.2").contains("CVE-2024-10481"));
        assert!(!ids(Kind::Comfyui, "0.3.64").contains("CVE-2024-10481"));
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
    fn a_version_before_the_first_that_was_tried_is_old() {
        let told = |kind, version: &str| old(kind, version).map(|draft| draft.message);
        let words = "Gradio 4.20.0 is older than 4.44.1, the oldest that Backline is tried with";
        assert_eq!(told(Kind::Gradio, "4.20.0").as_deref(), Some(words));
        for (kind, version) in [
            (Kind::Gradio, "4.44.0"),
            (Kind::Gradio, "7.0.0"),
            (Kind::Comfyui, "0.3.64"),
            (Kind::Wan2gp, "5.29.0"),
            (Kind::Wan2gp, "v12.60"),
            (Kind::Openai, "0.1.0"),
            (Kind::Litellm, "unknown"),
        ] {
            assert_eq!(told(kind, version), None, "{kind} {version}");
        }
        assert!(old(Kind::Wan2gp, "v10.0").is_some());
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
