//! The secret that a request is let in with.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::net::body::hex;

/// A secret of 256 random bits, in hexadecimal; or one that a person set.
#[derive(Clone)]
pub struct Token(Arc<str>);

impl Token {
    /// A new one.
    pub fn random() -> Self {
        let mut bits = [0; 32];
        rustls::crypto::aws_lc_rs::default_provider()
            .secure_random
            .fill(&mut bits)
            .expect("the system has random bits; without them nothing here is safe");
        Self(hex(&bits).into())
    }

    /// One that a person set; at least 16 characters.
    pub fn fixed(text: &str) -> Option<Self> {
        let text = text.trim();
        (text.len() >= 16 && text.bytes().all(|b| b.is_ascii_graphic())).then(|| Self(text.into()))
    }

    /// The secret itself, for the file that the owner alone reads.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// What is kept of a secret: enough to know it again.
pub(crate) type Print = [u8; 32];

pub(crate) fn print(text: &str) -> Print {
    Sha256::digest(text.as_bytes()).into()
}
