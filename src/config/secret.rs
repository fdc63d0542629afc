//! A key or password: where it is kept, never what it is.

use std::{
    fmt,
    io::Read,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};

/// Longest secret that a file may hold, in bytes.
const FILE_CAP: u64 = 64 * 1024;

/// What stands where a secret was written out.
pub(crate) const HIDDEN: &str = "(hidden)";

/// A key or password, as a reference. It is read each time a connection is opened, so a rotated key needs no
/// restart. Showing it in any way (`Debug`, `Display`, `Serialize`) gives the reference, or `(hidden)`.
#[derive(Clone)]
#[non_exhaustive]
pub enum Secret {
    /// `env:NAME`: the value of an environment variable.
    Env(String),
    /// `file:PATH`: the content of a file, without the white space around it.
    File(PathBuf),
    /// Written out. It works, and the configuration warns of it.
    Inline(SecretString),
}

impl Secret {
    /// Reads `env:NAME`, `file:PATH` (relative to `directory`), or a secret that is written out.
    ///
    /// # Errors
    /// Where nothing is named.
    pub fn parse(text: &str, directory: &Path) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("env:") {
            let fits = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            // The name is not repeated: it could be a key that somebody put behind `env:`.
            return if fits {
                Ok(Self::Env(name.to_owned()))
            } else {
                Err("what follows `env:` is no name of a variable".to_owned())
            };
        }
        match text.strip_prefix("file:") {
            Some("") => Err("`file:` names no file".to_owned()),
            Some(path) => Ok(Self::File(directory.join(path))),
            None if text.trim().is_empty() => Err("is empty".to_owned()),
            None => Ok(Self::Inline(text.into())),
        }
    }

    /// The secret itself.
    ///
    /// `env` looks up a variable; an empty one counts as not set. A file is read at most 64 KiB far.
    ///
    /// # Errors
    /// Which variable or file is missing, empty or unreadable, in words without the secret.
    pub fn resolve(&self, env: &dyn Fn(&str) -> Option<String>) -> Result<SecretString, String> {
        match self {
            Self::Env(name) => match env(name) {
                Some(value) if !value.trim().is_empty() => Ok(value.trim().into()),
                Some(_) => Err(format!("the variable {name} is empty")),
                None => Err(format!("the variable {name} is not set")),
            },
            Self::File(path) => read(path).map_err(|why| format!("the file {} {why}", path.display())),
            Self::Inline(secret) => Ok(secret.clone()),
        }
    }

    /// Whether the secret stands in the configuration itself.
    pub fn is_inline(&self) -> bool {
        matches!(self, Self::Inline(_))
    }
}

fn read(path: &Path) -> Result<SecretString, String> {
    let file = std::fs::File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        _ => format!("cannot be read: {e}"),
    })?;
    // A pipe or a device would never end, or never begin.
    if !file.metadata().is_ok_and(|m| m.is_file()) {
        return Err("is no regular file".to_owned());
    }
    let mut text = String::new();
    file.take(FILE_CAP + 1).read_to_string(&mut text).map_err(|e| format!("cannot be read: {e}"))?;
    match text.trim() {
        "" => Err("is empty".to_owned()),
        _ if text.len() as u64 > FILE_CAP => Err("is longer than 64 KiB: no key is".to_owned()),
        secret => Ok(secret.into()),
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Inline(_) => f.write_str(HIDDEN),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Env(a), Self::Env(b)) => a == b,
            (Self::File(a), Self::File(b)) => a == b,
            (Self::Inline(a), Self::Inline(b)) => a.expose_secret() == b.expose_secret(),
            _ => false,
        }
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Secret {
        Secret::parse(text, Path::new("/etc/backline")).unwrap()
    }

    #[test]
    fn a_reference_is_shown_and_a_secret_is_not() {
        assert_eq!(parse("env:KEY").to_string(), "env:KEY");
        assert_eq!(
            parse("file:keys/a").to_string(),
            format!("file:{}", Path::new("/etc/backline/keys/a").display())
        );
        assert_eq!(format!("{0} {0:?}", parse("sk-canary")), "(hidden) (hidden)");
        assert_eq!(serde_json::to_string(&parse("sk-canary")).unwrap(), "\"(hidden)\"");
        for bad in ["env:", "env:sk canary", "file:", "", "  "] {
            let error = Secret::parse(bad, Path::new(".")).unwrap_err();
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_missing_or_empty_secret_is_named() {
        let env =
            |name: &str| (name == "KEY").then(|| " sk-1\n".to_owned()).or((name == "NONE").then(String::new));
        assert_eq!(parse("env:KEY").resolve(&env).unwrap().expose_secret(), "sk-1");
        assert_eq!(parse("env:NONE").resolve(&env).unwrap_err(), "the variable NONE is empty");
        assert_eq!(parse("env:GONE").resolve(&env).unwrap_err(), "the variable GONE is not set");
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let secret = Secret::File(path.clone());
        assert!(secret.resolve(&env).unwrap_err().ends_with("does not exist"));
        std::fs::write(&path, "sk-2\n").unwrap();
        assert_eq!(secret.resolve(&env).unwrap().expose_secret(), "sk-2");
        std::fs::write(&path, "x".repeat(70_000)).unwrap();
        assert!(secret.resolve(&env).unwrap_err().ends_with("no key is"));
        assert!(Secret::File(directory.path().to_owned()).resolve(&env).is_err());
    }
}
