//! Whether a file's addresses may have keys. A `./backline.ron` that nobody named could have come with a download.

use std::{
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use crate::config::saved::replace;

/// How far the keys of a backend may go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// Where its settings say.
    #[default]
    Full,
    /// Not off this machine: its address, proxy or certificate comes from a file that nobody named or trusted.
    LoopbackOnly {
        /// That file.
        file: Arc<PathBuf>,
    },
}

/// The files that a person has trusted, each with the digest of what it said then: a changed file asks again.
///
/// As text, one file a line: the digest, a space, the path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustList {
    files: Vec<(String, PathBuf)>,
}

impl TrustList {
    /// Reads the text; a line that is none is passed over, since it trusts nothing.
    pub fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let (digest, path) = line.split_once(' ')?;
            let fits = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
            (fits && !path.is_empty()).then(|| (digest.to_owned(), PathBuf::from(path)))
        };
        Self { files: text.lines().filter_map(line).collect() }
    }

    /// The text, to be kept in a file that only the user can write.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (digest, path) in &self.files {
            writeln!(text, "{digest} {}", path.display()).expect("a string takes all");
        }
        text
    }

    /// Reads the list from its file; one that does not exist is empty.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn load(path: &Path) -> io::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(e),
        }
    }

    /// Writes the list to its file, all or nothing, for the user alone to read.
    ///
    /// # Errors
    /// Where the file cannot be written, or a path cannot stand in a line of it.
    pub fn store(&self, path: &Path) -> io::Result<()> {
        // A directory's name with a new line and a digest in it could trust another file.
        let fits = |path: &Path| path.to_str().is_some_and(|text| !text.contains(char::is_control));
        if let Some((_, odd)) = self.files.iter().find(|(_, path)| !fits(path)) {
            let why = format!("the path {odd:?} is not plain text");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        replace(path, self.to_text())
    }

    /// Whether this file with this digest is trusted.
    pub fn contains(&self, path: &Path, digest: &str) -> bool {
        self.files.iter().any(|(d, p)| d == digest && p == path)
    }

    /// Trusts a file as it is now, in place of what it said before.
    pub fn trust(&mut self, path: &Path, digest: &str) {
        self.files.retain(|(_, p)| p != path);
        self.files.push((digest.to_owned(), path.to_owned()));
    }

    /// Takes the trust back, whatever the file says; false where it had none.
    pub fn forget(&mut self, path: &Path) -> bool {
        let before = self.files.len();
        self.files.retain(|(_, p)| p != path);
        self.files.len() < before
    }
}

/// The digest of a file with everything that it extends.
pub(crate) fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        // The length keeps two files from reading like one.
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    crate::net::body::hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_is_for_a_content_and_survives_as_text() {
        let (one, two) = (digest(["a", "b"]), digest(["ab"]));
        assert_ne!(one, two);
        let mut list = TrustList::default();
        list.trust(Path::new("/p/with space/backline.ron"), &one);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("new").join("trusted");
        assert_eq!(TrustList::load(&file).unwrap(), TrustList::default());
        list.store(&file).unwrap();
        assert_eq!(TrustList::load(&file).unwrap(), list);
        let list = TrustList::parse(&format!("# a comment\n{}", list.to_text()));
        assert!(list.contains(Path::new("/p/with space/backline.ron"), &one));
        assert!(!list.contains(Path::new("/p/with space/backline.ron"), &two));
        assert!(!list.contains(Path::new("/p/backline.ron"), &one));
    }
    #[test]
    fn trust_is_taken_back_and_no_path_smuggles_another_in() {
        let one = digest(["a"]);
        let mut list = TrustList::default();
        list.trust(Path::new("/p/a"), &one);
        assert!(list.forget(Path::new("/p/a")) && !list.forget(Path::new("/p/a")));
        assert!(!list.contains(Path::new("/p/a"), &one));
        let directory = tempfile::tempdir().unwrap();
        list.trust(Path::new(&format!("/p/x\n{one} /p/b")), &one);
        assert!(list.store(&directory.path().join("trusted")).is_err());
        assert!(!directory.path().join("trusted").exists());
    }
}
