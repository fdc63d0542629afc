//! Versions of servers, as far as they can be compared.

use std::fmt;

/// The first three numbers of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub [u32; 3]);

impl Version {
    /// Reads a version: `1.83.7-stable` is 1.83.7, `v0.28` is 0.28.0. A pre-release counts as its release. `None` where
    /// it begins with no two numbers.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().trim_start_matches('v').split(['.', '-', '+']);
        let mut number = |missing: Option<u32>| -> Option<u32> {
            let Some(part) = parts.next() else { return missing };
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            part[..digits].parse().ok().or(missing)
        };
        Some(Self([number(None)?, number(None)?, number(Some(0))?]))
    }

    /// Without the third number, which brings repairs only.
    pub fn line(self) -> [u32; 2] {
        [self.0[0], self.0[1]]
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_write_is_read() {
        let read = |text: &str| Version::parse(text).map(|v| v.0);
        assert_eq!(read("1.83.7-stable"), Some([1, 83, 7]));
        assert_eq!(read("v12.60"), Some([12, 60, 0]));
        assert_eq!(read("1.83.7.rc.1"), Some([1, 83, 7]));
        assert_eq!(read("0.28"), Some([0, 28, 0]));
        assert_eq!(read("5.0.0b3"), Some([5, 0, 0]));
        for none in ["", "unknown", "7", "x.1", "99999999999.1"] {
            assert_eq!(read(none), None, "{none}");
        }
        assert!(Version::parse("0.24.0") > Version::parse("0.3.64"));
    }
}
