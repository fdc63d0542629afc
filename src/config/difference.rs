//! What another configuration changes, value by value.

use indexmap::IndexMap;
use serde::Serialize;

use crate::config::ValueRow;

/// One value that is not what it was. A secret that was written out is hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ValueChange {
    /// Its path.
    pub path: String,
    /// As it was written; `None` where there was none.
    pub old: Option<String>,
    /// As it would be written; `None` where there is none any more.
    pub new: Option<String>,
}

/// The values that differ: those of the new configuration in its order, then those that are gone.
pub(crate) fn changes(old: &[ValueRow], new: &[ValueRow]) -> Vec<ValueChange> {
    let by_path = |rows: &[ValueRow]| -> IndexMap<String, String> {
        rows.iter().map(|row| (row.path.clone(), shown(row))).collect()
    };
    let (old, new) = (by_path(old), by_path(new));
    let come = new.iter().map(|(path, value)| ValueChange {
        path: path.clone(),
        old: old.get(path).cloned(),
        new: Some(value.clone()),
    });
    let gone = old.iter().filter(|(path, _)| !new.contains_key(*path)).map(|(path, value)| ValueChange {
        path: path.clone(),
        old: Some(value.clone()),
        new: None,
    });
    come.chain(gone).filter(|change| change.old != change.new).collect()
}

/// A value as JSON shows it: a text with spaces stays one.
pub(crate) fn shown(row: &ValueRow) -> String {
    serde_json::to_string(&row.value).unwrap_or_else(|_| row.value.to_string())
}

impl std::fmt::Display for ValueChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, "~ {}: {old} -> {new}", self.path),
            (None, Some(new)) => write!(f, "+ {}: {new}", self.path),
            (Some(old), None) => write!(f, "- {}: {old}", self.path),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Loader;

    #[test]
    fn what_comes_goes_and_differs_is_told_and_the_rest_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let rows = |name: &str, text: &str| {
            let file = directory.path().join(name);
            std::fs::write(&file, text).unwrap();
            Loader::new().file(file).load().unwrap().values()
        };
        let old = rows("a.ron", r#"(log: (files: 2), pools: { "p": (capability: "text.chat") })"#);
        let new = rows("b.ron", r#"(log: (files: 4), discovery: (adopt: when_empty), http: (hosts: ["h"]))"#);
        let told: Vec<_> = changes(&old, &new).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [r#"+ http.hosts: ["h"]"#, "~ log.files: 2 -> 4", r#"- pools.p.capability: "text.chat""#],
            "a default that is written out is no change"
        );
        assert!(changes(&new, &new).is_empty());
    }
}
