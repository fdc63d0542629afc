//! Older versions of the format: what a field was called then.

/// The version that this build writes.
pub(crate) const VERSION: u64 = 1;

/// A field that had another name, or stood elsewhere, before a version.
pub(crate) struct Rename {
    /// The first version with the new name.
    since: u64,
    from: &'static str,
    to: &'static str,
}

/// Version 0 is the format of the drafts before the first release.
const RENAMES: &[Rename] = &[
    Rename { since: 1, from: "backends.*.address", to: "backends.*.url" },
    Rename { since: 1, from: "backends.*.timeout", to: "backends.*.timeouts.request" },
    Rename { since: 1, from: "discovery.mode", to: "discovery.adopt" },
];

/// The field that a field of an older version is now: both paths have the same names of the user's in them.
pub(crate) fn renamed(pattern: &str, version: u64) -> Option<&'static str> {
    RENAMES.iter().find(|rename| version < rename.since && rename.from == pattern).map(|rename| rename.to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema;

    #[test]
    fn every_rename_leads_to_a_field_and_none_hides_one() {
        for rename in RENAMES {
            assert!(schema::schema().iter().any(|field| field.path == rename.to), "{}", rename.to);
            assert!(!schema::schema().iter().any(|field| field.path == rename.from), "{}", rename.from);
            assert_eq!(rename.from.matches('*').count(), rename.to.matches('*').count());
            assert!(rename.since <= VERSION);
        }
        assert_eq!(renamed("backends.*.address", VERSION), None);
    }
}
