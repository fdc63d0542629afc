//! Takes keys out of what a server says.

use secrecy::{ExposeSecret, SecretString};

/// Shortest run after `sk-` that is taken for a key.
const KEY_LENGTH: usize = 8;
/// Our own key is looked for from this length on; a shorter one would blot out ordinary words.
const OWN_LENGTH: usize = 4;

/// Takes our own key, and whatever has the shape of a key, out of a remote text: servers echo keys in their errors.
#[derive(Clone, Default)]
pub(super) struct Redactor {
    key: Option<SecretString>,
}

impl Redactor {
    pub(super) fn new(key: Option<SecretString>) -> Self {
        let long_enough = |key: &SecretString| key.expose_secret().trim().len() >= OWN_LENGTH;
        Self { key: key.filter(long_enough) }
    }

    pub(super) fn clean(&self, text: &str) -> String {
        match &self.key {
            Some(key) => mask_shapes(&text.replace(key.expose_secret().trim(), "[our key]")),
            None => mask_shapes(text),
        }
    }
}

/// Masks what follows an `sk-` like a key does.
fn mask_shapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("sk-") {
        let (before, token) = rest.split_at(at + 3);
        out.push_str(before);
        let is_key = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let length = token.bytes().position(|b| !is_key(b)).unwrap_or(token.len());
        // "task-", "disk-" and the like end in the same letters.
        let inside_a_word = before[..at].ends_with(|c: char| c.is_alphanumeric());
        if length >= KEY_LENGTH && !inside_a_word {
            out.push('…');
        } else {
            out.push_str(&token[..length]);
        }
        rest = &token[length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_survives_and_no_word_is_lost() {
        let redactor = Redactor::new(Some("my-own-secret".to_owned().into()));
        let said = "wrong key my-own-secret; also sk-abcdef0123456789, (sk-proj-AAAA_BBBB-1) but task-1234567890 sk-1 é sk-";
        assert_eq!(
            redactor.clean(said),
            "wrong key [our key]; also sk-…, (sk-…) but task-1234567890 sk-1 é sk-"
        );
        assert_eq!(Redactor::new(Some("a".to_owned().into())).clean("a cat"), "a cat");
    }
}
