//! A server that was found.

use serde::Serialize;

use crate::{model::Kind, net::Address};

/// A server that was found, as `backline discover --json` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Find {
    /// Which protocol it speaks.
    pub kind: Kind,
    /// Where it listens.
    pub url: Address,
    /// Its version, where it tells one to a stranger.
    pub version: Option<String>,
    /// What it calls itself, or the name of the known program that it is.
    pub title: Option<String>,
    /// The same for the same server after a restart, or on another port: [`crate::discovery`] says what it is made of.
    pub identity: String,
    /// What it wants before it works for us.
    pub needs: Option<Need>,
}

/// What a found server wants before it works for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Need {
    /// A key or a log-in.
    Auth,
}

impl Find {
    /// A find, for a test or for what was found by other means.
    pub fn new(kind: Kind, url: Address, identity: impl Into<String>) -> Self {
        Self { kind, url, version: None, title: None, identity: identity.into(), needs: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_find_is_written_as_the_document_has_it() {
        let mut find = Find::new(Kind::Gradio, Address::loopback(7860), "gradio:1");
        find.needs = Some(Need::Auth);
        let written = serde_json::to_string(&find).unwrap();
        let wanted = r#"{"kind":"gradio","url":"http://127.0.0.1:7860","version":null,"title":null,"identity":"gradio:1","needs":"auth"}"#;
        assert_eq!(written, wanted);
    }
}
