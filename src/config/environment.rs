//! The environment as a layer: variables of our own, and those that people have set for the backends anyway.

use std::{collections::BTreeMap, path::Path};

use crate::{
    config::{
        Problem, Problems, Secret,
        layer::{Layer, Origin},
        leaf::Leaf,
        schema::{FieldType, field_at},
        suggest::suggestion,
    },
    model::{BackendId, Kind},
    net::Address,
};

/// The variables of a process, as a plain map: nothing below reads the process's own.
pub type Variables = BTreeMap<String, String>;

/// Variables that set one field.
const FIELDS: [(&str, &str); 3] = [
    ("BACKLINE_STATE_DIR", "state_dir"),
    ("BACKLINE_LISTEN", "http.listen"),
    ("BACKLINE_TOKEN", "http.token"),
];

/// Ends of `BACKLINE_<ID>_…`, and the field of the backend that each sets.
const SUFFIXES: [(&str, &str); 3] = [("_API_KEY", "api_key"), ("_ENABLED", "enabled"), ("_URL", "url")];

/// A variable that is set and not empty.
pub(crate) fn lookup<'e>(env: &'e Variables, name: &str) -> Option<&'e str> {
    env.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// The variables that override what `below` holds. Relative paths begin at `directory`.
pub(crate) fn layer(env: &Variables, below: &Layer, directory: &Path) -> (Layer, Problems) {
    let mut reader = Reader { env, directory, layer: Layer::default(), problems: Problems::default() };
    for (name, path) in FIELDS {
        reader.set(name, path);
    }
    for (id, _) in below.names_in("backends") {
        for (suffix, field) in SUFFIXES {
            reader.set(&format!("BACKLINE_{}{suffix}", env_name(id)), &format!("backends.{id}.{field}"));
        }
    }
    (reader.layer, reader.problems)
}

struct Reader<'e> {
    env: &'e Variables,
    directory: &'e Path,
    layer: Layer,
    problems: Problems,
}

impl Reader<'_> {
    fn set(&mut self, name: &str, path: &str) {
        let Some(text) = lookup(self.env, name) else { return };
        let Some(field) = field_at(path) else { return };
        let read = match field.kind {
            // The variable holds the key itself, so the reference is to the variable; a reference in it is followed.
            FieldType::Secret if !text.starts_with("env:") && !text.starts_with("file:") => {
                Ok(Leaf::Secret(Secret::Env(name.to_owned())))
            }
            FieldType::Flag if text == "1" => Ok(Leaf::Flag(true)),
            FieldType::Flag if text == "0" => Ok(Leaf::Flag(false)),
            kind => kind.read(text, self.directory),
        };
        match read {
            Ok(leaf) => self.layer.set(path, leaf, Origin::Env(name.to_owned())),
            Err(complaint) => {
                let problem = Problem::new(path, complaint.message, complaint.fix);
                self.problems.push(problem.at(format_args!("env:{name}")));
            }
        }
    }
}

/// Variables that look like overrides of a backend that does not exist: probably a slip, possibly left over.
pub(crate) fn strays(env: &Variables, merged: &Layer) -> Vec<Problem> {
    let ids: Vec<_> = merged.names_in("backends").map(|(id, _)| env_name(id)).collect();
    let mut strays = Vec::new();
    for name in env.keys() {
        let Some(rest) = name.strip_prefix("BACKLINE_") else { continue };
        let middle = SUFFIXES.iter().find_map(|(suffix, _)| rest.strip_suffix(suffix));
        let Some(middle) = middle.filter(|middle| !ids.iter().any(|id| id == middle)) else { continue };
        let lower: Vec<_> = ids.iter().map(|id| id.to_lowercase()).collect();
        let hint = suggestion(&middle.to_lowercase(), lower.iter().map(String::as_str));
        let message = format!("no backend has the id that {name} names{hint}");
        let fix = "Correct the variable's name, or add the backend to the file.";
        strays.push(Problem::new("", message, fix).at(format_args!("env:{name}")));
    }
    strays
}

/// Fills in the addresses and keys of backends that have none, from the variables that their own tools read.
pub(crate) fn aliases(env: &Variables, merged: &mut Layer) -> Problems {
    let mut problems = Problems::default();
    let ids: Vec<String> = merged.names_in("backends").map(|(id, _)| id.to_owned()).collect();
    for id in ids {
        let path = |field: &str| format!("backends.{id}.{field}");
        let Some(Leaf::Kind(kind)) = merged.values.get(&path("kind")).map(|value| value.leaf.clone()) else {
            continue;
        };
        let mut from_alias = false;
        if !merged.values.contains_key(&path("url"))
            && let Some((name, text)) = first(env, url_aliases(kind))
        {
            match Address::parse(text) {
                Ok(url) => merged.set(path("url"), Leaf::Url(url), Origin::Env(name.to_owned())),
                Err(e) => {
                    let fix = format!("Write {}.", FieldType::Url.expected());
                    problems
                        .push(Problem::new(path("url"), e.to_string(), fix).at(format_args!("env:{name}")));
                }
            }
            from_alias = true;
        }
        let local = matches!(merged.values.get(&path("url")).map(|v| &v.leaf), Some(Leaf::Url(url)) if url.is_loopback());
        if !merged.values.contains_key(&path("api_key"))
            && let Some((name, _)) = first(env, key_aliases(kind, from_alias, local))
        {
            let secret = Secret::Env(name.to_owned());
            merged.set(path("api_key"), Leaf::Secret(secret), Origin::Env(name.to_owned()));
        }
    }
    problems
}

fn first<'e>(env: &'e Variables, names: &[&'static str]) -> Option<(&'static str, &'e str)> {
    names.iter().find_map(|name| Some((*name, lookup(env, name)?)))
}

/// The variables that may hold the address of a backend of this kind, the first that is set counts.
pub(crate) const fn url_aliases(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Comfyui => &["COMFYUI_URL"],
        Kind::Wan2gp => &["WAN2GP_URL"],
        Kind::Litellm => &["LITELLM_BASE_URL", "OPENAI_BASE_URL"],
        Kind::Openai => &["OPENAI_BASE_URL"],
        Kind::Gradio => &[],
    }
}

/// The variables that may hold its key. A key is paired with the address that the same environment gave: a key for
/// one provider that happens to be set must not reach another server. LiteLLM's own is also taken on loopback.
const fn key_aliases(kind: Kind, from_alias: bool, local: bool) -> &'static [&'static str] {
    match kind {
        Kind::Litellm if from_alias => &["LITELLM_MASTER_KEY", "OPENAI_API_KEY"],
        Kind::Litellm if local => &["LITELLM_MASTER_KEY"],
        Kind::Openai if from_alias => &["OPENAI_API_KEY"],
        _ => &[],
    }
}

fn env_name(id: &str) -> String {
    BackendId::new(id).map(|id| id.env_name()).unwrap_or_default()
}
