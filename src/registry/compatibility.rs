//! Whether a backend's version is one that Backline was tried with.

use serde::Serialize;

use super::version::Version;
use crate::model::Kind;

/// How a version stands to those that Backline was tried with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Compatibility {
    /// It was tried.
    Tested,
    /// It lies between two that were, or differs from one by repairs only.
    Covered,
    /// It is older than any that was.
    Older,
    /// It is newer than any that was.
    Newer,
    /// It tells no version, or the kind has none.
    Unknown,
}

/// The versions whose real servers the tests run, oldest first.
pub const fn tested(kind: Kind) -> &'static [Version] {
    match kind {
        Kind::Comfyui => &[Version([0, 3, 64]), Version([0, 24, 0])],
        Kind::Gradio => &[Version([4, 44, 1]), Version([5, 29, 0]), Version([6, 31, 0])],
        Kind::Wan2gp => &[Version([12, 60, 0])],
        Kind::Litellm => &[Version([1, 106, 2])],
        Kind::Openai => &[],
    }
}

impl Compatibility {
    /// Judges a version of a kind.
    pub fn of(kind: Kind, version: Option<&str>) -> Self {
        let tested = tested(kind);
        let (Some(oldest), Some(newest)) = (tested.first(), tested.last()) else { return Self::Unknown };
        match version.and_then(Version::parse) {
            None => Self::Unknown,
            Some(version) if tested.contains(&version) => Self::Tested,
            Some(version) if version.line() < oldest.line() => Self::Older,
            Some(version) if version.line() > newest.line() => Self::Newer,
            Some(_) => Self::Covered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_judged_by_those_that_were_tried() {
        let of = |kind, version: &str| Compatibility::of(kind, Some(version));
        assert_eq!(of(Kind::Comfyui, "0.24.0"), Compatibility::Tested);
        assert_eq!(of(Kind::Comfyui, "0.3.60"), Compatibility::Covered, "repairs only");
        assert_eq!(of(Kind::Comfyui, "0.10.1"), Compatibility::Covered);
        assert_eq!(of(Kind::Comfyui, "0.2.7"), Compatibility::Older);
        assert_eq!(of(Kind::Comfyui, "0.44.0"), Compatibility::Newer);
        assert_eq!(of(Kind::Gradio, "3.50.2"), Compatibility::Older);
        assert_eq!(of(Kind::Wan2gp, "v12.60"), Compatibility::Tested);
        assert_eq!(of(Kind::Litellm, "1.106.9"), Compatibility::Covered);
        assert_eq!(of(Kind::Openai, "0.1.0"), Compatibility::Unknown);
        assert_eq!(Compatibility::of(Kind::Comfyui, None), Compatibility::Unknown);
    }

    #[test]
    fn the_table_is_in_order() {
        for kind in [Kind::Comfyui, Kind::Gradio, Kind::Wan2gp, Kind::Litellm, Kind::Openai] {
            assert!(tested(kind).is_sorted(), "{kind}");
        }
    }
}
