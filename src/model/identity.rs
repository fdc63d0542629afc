//! What a backend said of itself when its session was opened.

use serde::{Deserialize, Serialize};

use crate::model::Capability;

/// What a backend said of itself when its session was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Identity {
    /// Its version, where it tells one.
    pub version: Option<String>,
    /// Its title (a Gradio app's name), where it has one.
    pub title: Option<String>,
    /// Changes at each start of the server, where the kind has such a thing (Gradio's `app_id`).
    pub boot: Option<String>,
    /// What it can do, by evidence.
    pub capabilities: Vec<Capability>,
    /// Models that it offers by name.
    pub models: Vec<String>,
    /// Functions that it offers by name.
    pub functions: Vec<String>,
}
