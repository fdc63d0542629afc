//! The name of a backend, as the configuration gives it.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// A backend's id: `[a-z0-9][a-z0-9_-]*`, at most 64 characters.
///
/// It is the key in the configuration, the last part of an address in the API, and (in upper case, `-` as `_`) the
/// middle of the environment variables that override the backend. Cloning it costs a counter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BackendId(Arc<str>);

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no id: use small letters, digits, `-` and `_`, beginning with a letter or a digit, at most 64"
)]
pub struct IdError {
    text: String,
}

impl BackendId {
    /// The longest id.
    pub const MAX_LEN: usize = 64;

    /// Checks a text and makes it an id.
    pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
        let text = text.as_ref();
        let mut letters = text.bytes();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let fits = text.len() <= Self::MAX_LEN
            && letters.next().is_some_and(plain)
            && letters.all(|b| plain(b) || b == b'-' || b == b'_');
        if fits { Ok(Self(text.into())) } else { Err(IdError { text: text.chars().take(80).collect() }) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as it stands in names of environment variables: upper case, `-` as `_`.
    pub fn env_name(&self) -> String {
        self.0.to_ascii_uppercase().replace('-', "_")
    }
}

impl fmt::Display for BackendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BackendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl FromStr for BackendId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl TryFrom<String> for BackendId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl From<BackendId> for String {
    fn from(id: BackendId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl std::borrow::Borrow<str> for BackendId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_plain_names_and_refuses_what_a_path_or_a_variable_could_not_carry() {
        for good in ["a", "0", "comfy-a", "gpu_1", "a-_-b"] {
            assert_eq!(BackendId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "_a", "A", "a b", "a/b", "..", "é", &"x".repeat(65)] {
            assert!(BackendId::new(bad).is_err(), "{bad:?} passed");
        }
    }

    #[test]
    fn names_its_environment_variables() {
        assert_eq!(BackendId::new("comfy-a").unwrap().env_name(), "COMFY_A");
    }
}
