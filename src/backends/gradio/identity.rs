//! From an app's page to what it is. Pure.

use crate::{
    backends::gradio::{function::Functions, offer, page::Page},
    model::{Identity, Kind},
};

/// What an app is: the kind, and what it says of itself.
pub(super) fn of(page: &Page, functions: &Functions, boot: &str) -> (Kind, Identity) {
    let wangp = page.wangp();
    let kind = if wangp.is_some() { Kind::Wan2gp } else { Kind::Gradio };
    let evidence = match wangp {
        Some(_) => offer::of_wangp(functions),
        None => offer::evidence(page.title.as_deref(), functions),
    };
    let version = wangp.and_then(|w| w.version).unwrap_or_else(|| page.version.clone());
    let identity = Identity {
        version: Some(version.chars().take(40).collect()),
        title: page.title.as_ref().map(|t| t.chars().take(120).collect()),
        boot: Some(boot.to_owned()),
        capabilities: evidence.iter().map(|evidence| evidence.capability).collect(),
        functions: functions.names().into(),
        evidence,
        signatures: offer::signatures(functions),
        ..Identity::default()
    };
    (kind, identity)
}
