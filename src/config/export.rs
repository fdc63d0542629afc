//! A configuration written as one RON file, without secrets.

use std::fmt::Write as _;

use crate::config::{
    layer::Layer,
    leaf::Leaf,
    migrate::VERSION,
    schema::{FieldDoc, FieldType, children},
    secret::HIDDEN,
};

/// A configuration as one file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// The file's text.
    pub text: String,
    /// The variables that it refers to in place of secrets that were written out; they are to be set.
    pub variables: Vec<String>,
}

/// Writes everything that is set in the merged layers; defaults are left out.
pub(crate) fn export(merged: &Layer) -> Exported {
    let mut writer = Writer { merged, out: String::new(), variables: Vec::new() };
    let _ = writeln!(writer.out, "(\n    version: {VERSION},");
    writer.fields("", "", 1);
    writer.out.push_str(")\n");
    Exported { text: writer.out, variables: writer.variables }
}

struct Writer<'m> {
    merged: &'m Layer,
    out: String,
    variables: Vec<String>,
}

impl Writer<'_> {
    fn fields(&mut self, pattern: &str, path: &str, depth: usize) {
        for field in children(pattern) {
            let path =
                if path.is_empty() { field.name().to_owned() } else { format!("{path}.{}", field.name()) };
            if !self.merged.is_set(&path) {
                continue;
            }
            self.indent(depth);
            let _ = write!(self.out, "{}: ", field.name());
            match field.kind {
                FieldType::Group | FieldType::Pair => {
                    self.out.push_str("(\n");
                    self.fields(field.path, &path, depth + 1);
                    self.close(depth, ')');
                }
                FieldType::Entries => {
                    self.out.push_str("{\n");
                    self.entries(field, &path, depth + 1);
                    self.close(depth, '}');
                }
                _ => self.value(&path),
            }
        }
    }

    fn entries(&mut self, map: &FieldDoc, path: &str, depth: usize) {
        let names: Vec<String> = self.merged.names_in(path).map(|(name, _)| name.to_owned()).collect();
        for name in names {
            self.indent(depth);
            let _ = write!(self.out, "{}: ", text(&name));
            let path = format!("{path}.{name}");
            if children(map.path).any(|inside| inside.kind.is_group()) {
                self.out.push_str("(\n");
                self.fields(&format!("{}.*", map.path), &path, depth + 1);
                self.close(depth, ')');
            } else {
                self.value(&path);
            }
        }
    }

    fn value(&mut self, path: &str) {
        // A name whose value could not be read stays a name.
        let shown = match self.merged.values.get(path).map(|value| &value.leaf) {
            Some(leaf) if leaf.to_string() == HIDDEN => {
                let variable = variable(path);
                let shown = text(&format!("env:{variable}"));
                self.variables.push(variable);
                shown
            }
            Some(leaf) => written(leaf),
            None => "None".to_owned(),
        };
        let _ = writeln!(self.out, "{shown},");
    }

    fn indent(&mut self, depth: usize) {
        self.out.extend(std::iter::repeat_n("    ", depth));
    }

    fn close(&mut self, depth: usize, bracket: char) {
        self.indent(depth);
        let _ = writeln!(self.out, "{bracket},");
    }
}

/// The variable that stands in for a secret: the one that overrides the key, or one made like it.
fn variable(path: &str) -> String {
    let name = path.strip_prefix("backends.").unwrap_or(path);
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("BACKLINE_{}", name.chars().map(letter).collect::<String>())
}

fn written(leaf: &Leaf) -> String {
    let list = |items: Vec<String>| format!("[{}]", items.join(", "));
    match leaf {
        Leaf::Flag(_) | Leaf::Count(_) | Leaf::Kind(_) | Leaf::Adopt(_) => leaf.to_string(),
        Leaf::Texts(texts) => list(texts.iter().map(|item| text(item)).collect()),
        Leaf::Ports(ports) => list(ports.iter().map(|port| text(&port.to_string())).collect()),
        Leaf::Hosts(hosts) => list(hosts.iter().map(|host| text(&host.to_string())).collect()),
        Leaf::Ids(ids) => list(ids.iter().map(|id| text(id.as_str())).collect()),
        _ => text(&leaf.to_string()),
    }
}

fn text(content: &str) -> String {
    ron::to_string(content).unwrap_or_else(|_| format!("{content:?}"))
}
