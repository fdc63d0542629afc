//! Layers: where values come from, and which of them counts.

use std::fmt;

use indexmap::IndexMap;

use crate::{
    config::{Place, leaf::Leaf},
    model::status::Source,
};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File(Place),
    Discovered,
    Api,
    Env(String),
    CommandLine,
}

impl Origin {
    /// As `config show` names it: `file:PATH`, `env:NAME`, `api`, `discovered`, `default`, `command line`.
    pub(crate) fn source(&self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::File(place) => format!("file:{}", place.file.display()),
            Self::Discovered => "discovered".to_owned(),
            Self::Api => "api".to_owned(),
            Self::Env(name) => format!("env:{name}"),
            Self::CommandLine => "command line".to_owned(),
        }
    }

    /// As a snapshot names it.
    pub(crate) fn kind(&self) -> Source {
        match self {
            Self::Default => Source::Default,
            Self::File(_) => Source::File,
            Self::Discovered => Source::Discovered,
            Self::Api => Source::Api,
            // A person gave both for this one process.
            Self::Env(_) | Self::CommandLine => Source::Env,
        }
    }
}

impl fmt::Display for Origin {
    /// As a problem names it: with line and column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(place) => fmt::Display::fmt(place, f),
            other => f.write_str(&other.source()),
        }
    }
}

/// A value with its origin, and the origin of what it masks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    pub(crate) leaf: Leaf,
    pub(crate) origin: Origin,
    pub(crate) masks: Option<Origin>,
}

impl Value {
    pub(crate) fn new(leaf: Leaf, origin: Origin) -> Self {
        Self { leaf, origin, masks: None }
    }
}

/// Values by path, and the names that stand in each map (`backends`), since a name may have no value of its own.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Layer {
    pub(crate) values: IndexMap<String, Value>,
    names: IndexMap<String, IndexMap<String, Origin>>,
    /// Names with all below them that this layer takes out of the ones under it, like `backends.comfyui`.
    pub(crate) removed: Vec<String>,
}

impl Layer {
    pub(crate) fn set(&mut self, path: impl Into<String>, leaf: Leaf, origin: Origin) {
        self.values.insert(path.into(), Value::new(leaf, origin));
    }

    /// Puts a layer over this one.
    pub(crate) fn cover(&mut self, over: Self) {
        for path in &over.removed {
            self.take_out(path);
        }
        for (path, mut value) in over.values {
            value.masks = self.values.get(&path).map(|below| below.origin.clone()).or(value.masks);
            self.values.insert(path, value);
        }
        for (map, names) in over.names {
            for (name, origin) in names {
                // The lowest layer brought it in.
                self.names.entry(map.clone()).or_default().entry(name).or_insert(origin);
            }
        }
    }

    fn take_out(&mut self, path: &str) {
        let kept = |known: &str| !is_at_or_below(known, path);
        self.values.retain(|known, _| kept(known));
        self.names.retain(|map, _| kept(map));
        if let Some((map, name)) = path.rsplit_once('.')
            && let Some(names) = self.names.get_mut(map)
        {
            names.shift_remove(name);
        }
    }

    /// Adds a name to a map; false where it is there already.
    pub(crate) fn add_name(&mut self, map: &str, name: &str, origin: Origin) -> bool {
        self.names.entry(map.to_owned()).or_default().insert(name.to_owned(), origin).is_none()
    }

    /// The names in a map, in their order.
    pub(crate) fn names_in(&self, map: &str) -> impl Iterator<Item = (&str, &Origin)> {
        self.names.get(map).into_iter().flatten().map(|(name, origin)| (name.as_str(), origin))
    }

    /// The origin of a value, or of a name in a map.
    pub(crate) fn origin(&self, path: &str) -> Option<&Origin> {
        let named = || {
            let (map, name) = path.rsplit_once('.')?;
            self.names.get(map)?.get(name)
        };
        self.values.get(path).map(|value| &value.origin).or_else(named)
    }

    /// Whether anything is set at a path or below it.
    pub(crate) fn is_set(&self, path: &str) -> bool {
        self.values.keys().chain(self.names.keys()).any(|known| is_at_or_below(known, path))
    }
}

/// Whether a path is another, or leads below it.
pub(crate) fn is_at_or_below(known: &str, path: &str) -> bool {
    known.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_layer_wins_and_names_what_it_masks() {
        let mut below = Layer::default();
        below.set("a", Leaf::Count(1), Origin::Default);
        below.set("b", Leaf::Count(1), Origin::Default);
        let mut above = Layer::default();
        above.set("a", Leaf::Count(2), Origin::Env("A".to_owned()));
        below.cover(above);
        assert_eq!(below.values["a"].leaf, Leaf::Count(2));
        assert_eq!(below.values["a"].masks, Some(Origin::Default));
        assert_eq!(below.values["b"].masks, None);
        assert_eq!(below.values.keys().collect::<Vec<_>>(), ["a", "b"], "the order stays");
    }
}
