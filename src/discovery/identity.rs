//! Identities: what stays the same of a server when it restarts or moves to another port.

use sha2::{Digest, Sha256};

use crate::{model::Kind, net::body::hex};

/// An identity made of what a server shows. The parts are kept apart, so that no two lists of parts meet by accident.
pub(crate) fn identity<'a>(kind: Kind, parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    format!("{kind}:{}", hex(&digest.finalize()[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parts_and_no_others_give_the_same_identity() {
        let of = |parts: &[&str]| identity(Kind::Gradio, parts.iter().copied());
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
        assert_ne!(of(&["a", "b"]), of(&["ab"]));
        assert_ne!(of(&["a", "b"]), of(&["b", "a"]));
        assert!(of(&[]).starts_with("gradio:") && of(&[]).len() == "gradio:".len() + 16);
    }
}
