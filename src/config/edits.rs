//! Values that stand in no file: edits made through the API, and what discovery found.

use std::fmt;

use indexmap::{IndexMap, IndexSet};
use serde::{Deserialize, Serialize};

use crate::{
    config::{
        Problem, Problems,
        layer::{Layer, Origin, is_at_or_below},
        leaf::Complaint,
        schema::{FieldDoc, field_at},
    },
    model::{BackendId, Kind},
    net::Address,
};

/// Values by path, each as plain text (`backends.comfyui.url`, `http://127.0.0.1:8188`; a list with commas), and
/// whole backends or pools that are taken out. It is what an edit leaves behind, kept across restarts, and reverted
/// value by value. `Debug` shows paths only, since a text may be a secret.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Edits {
    values: IndexMap<String, String>,
    removed: IndexSet<String>,
}

impl Edits {
    /// Sets a value; a backend or pool that does not exist is added by its first value.
    pub fn set(&mut self, path: impl Into<String>, text: impl Into<String>) {
        let path = path.into();
        self.removed.shift_remove(&group_of(&path));
        self.values.insert(path, text.into());
    }

    /// Sets a value of something that stays taken out of the layers below.
    pub(crate) fn write(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.values.insert(path.into(), text.into());
    }

    /// Takes out a backend or a pool, like `backends.comfyui`.
    pub fn remove(&mut self, path: impl Into<String>) {
        let path = path.into();
        self.revert(&path);
        self.removed.insert(path);
    }

    /// Forgets what was done to a value, or to everything below a path: what it masked counts again.
    pub fn revert(&mut self, path: &str) {
        self.values.retain(|known, _| !is_at_or_below(known, path));
        self.removed.retain(|known| !is_at_or_below(known, path));
    }

    /// Adds a backend that was found.
    pub fn found(&mut self, id: &BackendId, kind: Kind, url: &Address) {
        self.set(format!("backends.{id}.kind"), kind.as_str());
        self.set(format!("backends.{id}.url"), url.to_string());
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.removed.is_empty()
    }

    /// The paths of the values, in their order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// What is taken out, like `backends.comfyui`.
    pub fn removed(&self) -> impl Iterator<Item = &str> {
        self.removed.iter().map(String::as_str)
    }

    /// The values with their texts, secrets among them: for keeping only.
    #[cfg(any(feature = "state", feature = "dashboard"))]
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// As a layer over what is below. Only `Origin::Api` and `Origin::Discovered` may bring in new names.
    pub(crate) fn layer(
        &self,
        origin: &Origin,
        below: &Layer,
        directory: &std::path::Path,
    ) -> (Layer, Problems) {
        let (mut layer, mut problems) = (Layer::default(), Problems::default());
        layer.removed.extend(self.removed.iter().cloned());
        for (path, text) in &self.values {
            let read = field(path, origin, below).and_then(|field| field.kind.read(text, directory));
            match read {
                Ok(leaf) => {
                    add_names(&mut layer, path, origin);
                    layer.set(path, leaf, origin.clone());
                }
                Err(complaint) => {
                    problems.push(Problem::new(path, complaint.message, complaint.fix).at(origin));
                }
            }
        }
        (layer, problems)
    }
}

impl fmt::Debug for Edits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edits")
            .field("values", &self.values.keys().collect::<Vec<_>>())
            .field("removed", &self.removed)
            .finish()
    }
}

/// `backends.comfyui` of `backends.comfyui.probe.rise`.
fn group_of(path: &str) -> String {
    path.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
}

fn field(path: &str, origin: &Origin, below: &Layer) -> Result<&'static FieldDoc, Complaint> {
    let none = || Complaint::new("there is no such value", "`backline config show` lists all.");
    let field = field_at(path).filter(|field| !field.kind.is_group()).ok_or_else(none)?;
    if matches!(field.path, "version" | "extends") {
        return Err(Complaint::new("only a file has it", "Write it into the file."));
    }
    let Some((map, rest)) = path.split_once('.').filter(|_| field.path.contains('*')) else {
        return Ok(field);
    };
    let id = rest.split('.').next().unwrap_or_default();
    if matches!(origin, Origin::CommandLine) && !below.names_in(map).any(|(name, _)| name == id) {
        return Err(none());
    }
    BackendId::new(id).map_err(|e| Complaint::new(e.to_string(), "Choose another name."))?;
    match path.split_once(".headers.") {
        Some((_, name)) => crate::config::header::name(name)
            .map(|_| field)
            .map_err(|why| Complaint::new(why, "Choose another name.")),
        None => Ok(field),
    }
}

/// Adds the names that a path has at the stars of its pattern.
fn add_names(layer: &mut Layer, path: &str, origin: &Origin) {
    let map = path.split('.').next().unwrap_or_default();
    if !matches!(map, "backends" | "pools") {
        return;
    }
    let group = group_of(path);
    layer.add_name(map, &group[map.len() + 1..], origin.clone());
    if let Some(header) = path.strip_prefix(&format!("{group}.headers.")) {
        layer.add_name(&format!("{group}.headers"), header, origin.clone());
    }
}
