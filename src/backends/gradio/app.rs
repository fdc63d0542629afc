//! The app behind a session, as it was found when the session was opened.

use crate::{
    backends::gradio::{cookies::Cookies, function::Functions, identify::Found},
    model::Kind,
};

/// The app of a session.
pub(super) struct App {
    pub(super) kind: Kind,
    pub(super) prefix: String,
    pub(super) boot: String,
    pub(super) functions: Functions,
    pub(super) cookies: Option<Cookies>,
}

impl App {
    pub(super) fn new(found: Found, kind: Kind, functions: Functions) -> Self {
        Self { kind, prefix: found.page.api_prefix, boot: found.boot, functions, cookies: found.cookies }
    }
}
