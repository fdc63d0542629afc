//! Reads one file's text into a layer, by the table of fields: all its problems at once.

use std::path::Path;

use indexmap::IndexSet;

use crate::{
    config::{
        Place, Problem, Problems, header,
        layer::{Layer, Origin},
        leaf::{Complaint, Leaf, quoted},
        migrate::{self, VERSION},
        raw::{Piece, Scalar, Text},
        schema::{FieldDoc, FieldType, child, children, field_at},
        suggest::suggestion,
    },
    model::BackendId,
};

/// What a text says.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) layer: Layer,
    pub(crate) problems: Problems,
    pub(crate) warnings: Problems,
}

/// Reads a text; relative paths in it begin at `directory`.
pub(crate) fn read(text: &Text, directory: &Path) -> Reading {
    let mut reader = Reader { directory, version: VERSION, done: Reading::default() };
    match text.root() {
        Ok(root) => reader.root(root),
        Err(problem) => reader.done.problems.push(problem),
    }
    reader.done
}

struct Reader<'d> {
    directory: &'d Path,
    version: u64,
    done: Reading,
}

/// A group that is being read: its pattern in the table and its path.
#[derive(Clone, Copy)]
struct Group<'p> {
    pattern: &'p str,
    path: &'p str,
}

impl Group<'_> {
    fn join(self, name: &str) -> (String, String) {
        let join = |base: &str| if base.is_empty() { name.to_owned() } else { format!("{base}.{name}") };
        (join(self.pattern), join(self.path))
    }
}

impl Reader<'_> {
    fn root(&mut self, root: Piece<'_>) {
        let written = root.fields().into_iter().flatten().find(|(name, _)| name.name() == "version");
        if let Some((_, Some(Scalar::Bare(number)))) =
            written.map(|(_, v)| (v, v.some().and_then(Piece::scalar)))
        {
            // A number that is none is told with the other fields.
            self.version = number.parse().unwrap_or(VERSION);
        }
        if self.version > VERSION {
            let message = format!("the file has version {}, and this build knows {VERSION}", self.version);
            let fix = format!("Use a Backline that knows version {}; nothing was read.", self.version);
            let place = written.map_or_else(|| root.place(), |(_, value)| value.place());
            return self.done.problems.push(Problem::new("version", message, fix).at(place));
        }
        self.group(Group { pattern: "", path: "" }, root);
    }

    fn group(&mut self, group: Group<'_>, piece: Piece<'_>) {
        let Some(fields) = piece.fields() else {
            return self.complain(group.path, piece.place(), wrong_form(FieldType::Group, piece));
        };
        let mut seen = IndexSet::new();
        for (name, value) in fields {
            let (pattern, path) = group.join(name.name());
            let field = match child(group.pattern, name.name()) {
                Some(field) => Some((field, path.clone())),
                None => self.migrated(&pattern, &path, name.place()),
            };
            let Some((field, path)) = field else {
                self.unknown(group, name);
                continue;
            };
            if !seen.insert(path.clone()) {
                self.duplicate(&path, name.place());
                continue;
            }
            self.value(field, &path, value);
        }
    }

    fn value(&mut self, field: &'static FieldDoc, path: &str, piece: Piece<'_>) {
        let Some(piece) = piece.some() else { return };
        let group = Group { pattern: field.path, path };
        match field.kind {
            FieldType::Group => self.group(group, piece),
            FieldType::Pair => self.pair(group, piece),
            FieldType::Entries => self.entries(group, piece),
            kind if kind.is_list() => self.list(kind, path, piece),
            kind => match scalar(kind, piece, self.directory) {
                Ok(leaf) => self.set(path, leaf, piece.place()),
                Err(complaint) => self.complain(path, piece.place(), complaint),
            },
        }
    }

    fn pair(&mut self, group: Group<'_>, piece: Piece<'_>) {
        match piece.pair() {
            Some(parts) => {
                for (field, part) in children(group.pattern).zip(parts) {
                    self.value(field, &group.join(field.name()).1, part);
                }
            }
            None if piece.fields().is_some() => self.group(group, piece),
            None => self.complain(group.path, piece.place(), wrong_form(FieldType::Pair, piece)),
        }
    }

    fn entries(&mut self, group: Group<'_>, piece: Piece<'_>) {
        let Some(entries) = piece.entries() else {
            return self.complain(group.path, piece.place(), wrong_form(FieldType::Entries, piece));
        };
        let Some(field) = child(group.pattern, "*") else { return };
        for (key, value) in entries {
            let Some(Scalar::Quoted(name)) = key.scalar() else {
                let complaint =
                    Complaint::new("a name in a map stands in quotes", "Write it like `\"name\": …`.");
                self.complain(group.path, key.place(), complaint);
                continue;
            };
            let checked = match field.kind {
                FieldType::Header => header::name(&name),
                _ => BackendId::new(&name).map(|id| id.to_string()).map_err(|e| e.to_string()),
            };
            let name = match checked {
                Ok(name) => name,
                Err(why) => {
                    self.complain(group.path, key.place(), Complaint::new(why, "Choose another name."));
                    continue;
                }
            };
            let path = group.join(&name).1;
            if !self.done.layer.add_name(group.path, &name, Origin::File(key.place())) {
                self.duplicate(&path, key.place());
                continue;
            }
            self.value(field, &path, value);
        }
    }

    fn list(&mut self, kind: FieldType, path: &str, piece: Piece<'_>) {
        let Some(items) = piece.items() else {
            return self.complain(path, piece.place(), wrong_form(kind, piece));
        };
        let mut parts = Vec::new();
        for item in items {
            let part = match item.scalar() {
                Some(Scalar::Quoted(text)) => kind.join(std::iter::once(text.as_str())).map(|_| text),
                _ => Err(wrong_form(kind, item)),
            };
            match part {
                Ok(text) if parts.contains(&text) => {
                    let complaint = Complaint::new(
                        format!("{} stands there twice", quoted(&text)),
                        "Remove one of them.",
                    );
                    self.complain(path, item.place(), complaint);
                }
                Ok(text) => parts.push(text),
                Err(complaint) => self.complain(path, item.place(), complaint),
            }
        }
        match kind.join(parts.iter().map(String::as_str)) {
            Ok(leaf) => self.set(path, leaf, piece.place()),
            Err(complaint) => self.complain(path, piece.place(), complaint),
        }
    }

    fn set(&mut self, path: &str, leaf: Leaf, place: Place) {
        self.done.layer.set(path, leaf, Origin::File(place));
    }

    fn complain(&mut self, path: &str, place: Place, complaint: Complaint) {
        self.done.problems.push(Problem::new(path, complaint.message, complaint.fix).at(place));
    }

    fn duplicate(&mut self, path: &str, place: Place) {
        self.complain(path, place, Complaint::new("stands there twice", "Remove one of them."));
    }

    fn unknown(&mut self, group: Group<'_>, name: Piece<'_>) {
        let names: Vec<_> = children(group.pattern).map(FieldDoc::name).collect();
        let hint = suggestion(name.name(), names.iter().copied());
        let message = format!("there is no field {}{hint}", quoted(name.name()));
        let fix = format!("The fields are {}.", names.join(", "));
        self.complain(&group.join(name.name()).1, name.place(), Complaint::new(message, fix));
    }

    /// The field that an older version's field has become, with its path.
    fn migrated(&mut self, pattern: &str, path: &str, place: Place) -> Option<(&'static FieldDoc, String)> {
        let to = migrate::renamed(pattern, self.version)?;
        let stars: Vec<_> = pattern
            .split('.')
            .zip(path.split('.'))
            .filter(|(part, _)| *part == "*")
            .map(|(_, name)| name)
            .collect();
        let mut stars = stars.into_iter();
        let parts: Vec<_> =
            to.split('.').map(|part| if part == "*" { stars.next().unwrap_or(part) } else { part }).collect();
        let path_now = parts.join(".");
        let field = field_at(&path_now)?;
        let message = format!("version {} called it {}", self.version, quoted(path));
        let fix = format!("It was read; `backline config export` writes version {VERSION}.");
        self.done.warnings.push(Problem::new(&path_now, message, fix).at(place));
        Some((field, path_now))
    }
}

fn scalar(kind: FieldType, piece: Piece<'_>, directory: &Path) -> Result<Leaf, Complaint> {
    let bare = matches!(kind, FieldType::Flag | FieldType::Count(..));
    let either = !kind.choices().is_empty() && !bare;
    match piece.scalar() {
        Some(Scalar::Quoted(text)) if !bare => kind.read(&text, directory),
        Some(Scalar::Bare(text)) if bare || either => kind.read(text, directory),
        _ => Err(wrong_form(kind, piece)),
    }
}

/// The complaint that a value has the form of another type. What may be a secret is not repeated.
fn wrong_form(kind: FieldType, piece: Piece<'_>) -> Complaint {
    let found = match piece.scalar() {
        Some(Scalar::Quoted(_)) => "found a text in quotes".to_owned(),
        Some(Scalar::Bare(_)) if kind.is_secret() => "found a bare word".to_owned(),
        Some(Scalar::Bare(text)) => format!("found {}", quoted(text)),
        None if piece.items().is_some() => "found a list".to_owned(),
        None if piece.entries().is_some() => "found a map in braces".to_owned(),
        None => "found something in parentheses".to_owned(),
    };
    Complaint::expected(kind, found)
}
