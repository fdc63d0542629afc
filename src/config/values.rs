//! Every value with its source, for `config show`.

use serde::Serialize;

use crate::{
    config::{
        Limits,
        layer::{Layer, Origin, Value},
        leaf::Leaf,
        schema::{FieldDoc, FieldType, children},
    },
    model::fault::clean,
};

/// One value of a loaded configuration. A secret that was written out is hidden; a reference is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ValueRow {
    /// Its path, like `backends.comfyui.url`.
    pub path: String,
    /// The value as it would be written.
    pub value: ShownValue,
    /// Where it came from: `command line`, `env:NAME`, `file:PATH`, `default`.
    pub source: String,
    /// The line in that file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The source of the value that it masks, where a lower layer has one too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masks: Option<String>,
}

/// A value as it is shown: a JSON boolean, number, text or list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ShownValue(Leaf);

impl std::fmt::Display for ShownValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&clean(&self.0.to_string(), 500))
    }
}

/// Every value of the merged layers, defaults included, in the order of the table.
pub(crate) fn rows(merged: &Layer) -> Vec<ValueRow> {
    let mut rows = Vec::new();
    fill(merged, "", "", &mut rows);
    rows
}

fn fill(merged: &Layer, pattern: &str, path: &str, rows: &mut Vec<ValueRow>) {
    for field in children(pattern) {
        let path = if path.is_empty() { field.name().to_owned() } else { format!("{path}.{}", field.name()) };
        match field.kind {
            FieldType::Group | FieldType::Pair => fill(merged, field.path, &path, rows),
            FieldType::Entries => {
                for (name, _) in merged.names_in(&path) {
                    let path = format!("{path}.{name}");
                    match children(field.path).next().filter(|inside| !inside.kind.is_group()) {
                        Some(inside) => rows.extend(row(merged, inside, path)),
                        None => fill(merged, &format!("{}.*", field.path), &path, rows),
                    }
                }
            }
            _ => rows.extend(row(merged, field, path)),
        }
    }
}

fn row(merged: &Layer, field: &FieldDoc, path: String) -> Option<ValueRow> {
    let value = match merged.values.get(&path) {
        Some(value) => value.clone(),
        None => Value::new(default(merged, field, &path)?, Origin::Default),
    };
    let line = if let Origin::File(place) = &value.origin { Some(place.line) } else { None };
    Some(ValueRow {
        value: ShownValue(value.leaf),
        source: value.origin.source(),
        line,
        masks: value.masks.map(|origin| origin.source()),
        path,
    })
}

fn default(merged: &Layer, field: &FieldDoc, path: &str) -> Option<Leaf> {
    if let Some(backend) = path.strip_suffix(".limits.slots") {
        let Leaf::Kind(kind) = merged.values.get(&format!("{backend}.kind"))?.leaf else { return None };
        return Some(Leaf::Count(Limits::of(kind).slots.into()));
    }
    field.kind.read(field.default, std::path::Path::new("")).ok().filter(|_| !field.default.is_empty())
}
