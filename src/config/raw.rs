//! RON read one level at a time: a group as pairs of field and raw value, so that one wrong value hides no other.
//!
//! Each piece is a slice of the file's text, so its place is known. `ron::Value` would lose places and duplicates.

use std::{fmt, marker::PhantomData, path::PathBuf, sync::Arc};

use ron::{Options, extensions::Extensions, value::RawValue};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use crate::config::{Place, Problem};

/// A file's text.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    file: Arc<PathBuf>,
    body: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// A value in a text, not yet read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'a> {
    text: &'a Text,
    raw: &'a str,
}

/// What a scalar looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scalar<'a> {
    Quoted(String),
    Bare(&'a str),
}

impl Text {
    pub(crate) fn new(file: PathBuf, body: String) -> Self {
        let lines = std::iter::once(0).chain(body.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file: Arc::new(file), body, lines }
    }

    /// The text itself.
    pub(crate) fn into_body(self) -> String {
        self.body
    }

    /// The whole text as one piece, if it is well-formed.
    pub(crate) fn root(&self) -> Result<Piece<'_>, Problem> {
        if past_attributes(&self.body).is_empty() {
            let place = Place { file: self.file.clone(), line: 1, column: 1 };
            let fix = "Write at least `(version: 1)`, or begin with `backline config init`.";
            return Err(Problem::new("", "the file is empty", fix).at(place));
        }
        match options().from_str::<IgnoredAny>(&self.body) {
            Ok(_) => Ok(Piece { text: self, raw: past_attributes(&self.body) }.trimmed()),
            Err(error) => {
                let (line, column) = (error.span.start.line, error.span.start.col);
                let place = Place { file: self.file.clone(), line: small(line), column: small(column) };
                Err(Problem::new(
                    "",
                    error.code.to_string(),
                    "Correct the syntax there (RON: `(field: value, …)`).",
                )
                .at(place))
            }
        }
    }

    fn place(&self, part: &str) -> Place {
        // Both are slices of one text, so the difference of their addresses is the offset.
        let offset = (part.as_ptr() as usize).saturating_sub(self.body.as_ptr() as usize);
        let line = self.lines.partition_point(|begin| *begin <= offset).max(1);
        let begin = self.lines.get(line - 1).copied().unwrap_or_default();
        let column = self.body.get(begin..offset).map_or(1, |before| before.chars().count() + 1);
        Place { file: self.file.clone(), line: small(line), column: small(column) }
    }
}

impl<'a> Piece<'a> {
    /// Where it begins.
    pub(crate) fn place(self) -> Place {
        self.text.place(self.raw)
    }

    /// The fields of a group, duplicates and all; `None` where it is no group.
    pub(crate) fn fields(self) -> Option<Vec<(Piece<'a>, Piece<'a>)>> {
        let mut read = ron::Deserializer::from_str_with_options(self.raw, &options()).ok()?;
        let fields = read.deserialize_struct("", &[], Pairs::<Name<'a>>(PhantomData)).ok()?;
        Some(
            fields.into_iter().map(|(name, value)| (self.part(name.0), self.part(value.get_ron()))).collect(),
        )
    }

    /// The entries of a map, duplicates and all; `None` where it is no map.
    pub(crate) fn entries(self) -> Option<Vec<(Piece<'a>, Piece<'a>)>> {
        let mut read = ron::Deserializer::from_str_with_options(self.raw, &options()).ok()?;
        let entries = read.deserialize_map(Pairs::<&'a RawValue>(PhantomData)).ok()?;
        Some(entries.into_iter().map(|(k, v)| (self.part(k.get_ron()), self.part(v.get_ron()))).collect())
    }

    /// The parts of a list; `None` where it is no list.
    pub(crate) fn items(self) -> Option<Vec<Piece<'a>>> {
        let items = options().from_str::<Vec<&'a RawValue>>(self.raw).ok()?;
        Some(items.into_iter().map(|item| self.part(item.get_ron())).collect())
    }

    /// Two values in parentheses, without names.
    pub(crate) fn pair(self) -> Option<[Piece<'a>; 2]> {
        let (first, second) = options().from_str::<(&'a RawValue, &'a RawValue)>(self.raw).ok()?;
        Some([self.part(first.get_ron()), self.part(second.get_ron())])
    }

    /// What is in `Some(…)`, or the value itself; `None` for `None`.
    pub(crate) fn some(self) -> Option<Piece<'a>> {
        match options().from_str::<Option<&'a RawValue>>(self.raw) {
            Ok(Some(raw)) => Some(self.part(raw.get_ron())),
            Ok(None) => None,
            Err(_) => Some(self),
        }
    }

    /// A text in quotes, or the bare word or number; `None` for anything composed.
    pub(crate) fn scalar(self) -> Option<Scalar<'a>> {
        if let Ok(text) = options().from_str::<String>(self.raw) {
            return Some(Scalar::Quoted(text));
        }
        let bare = self.raw.trim_end();
        // A comment may follow the value.
        let bare = &bare[..bare.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(bare.len())];
        let word = |c: char| c.is_alphanumeric() || "_+-.#".contains(c);
        (!bare.is_empty() && bare.chars().all(word)).then_some(Scalar::Bare(bare))
    }

    /// The name of a field, as it stands.
    pub(crate) fn name(self) -> &'a str {
        self.raw.strip_prefix("r#").unwrap_or(self.raw)
    }

    fn part(self, raw: &'a str) -> Piece<'a> {
        Piece { text: self.text, raw }.trimmed()
    }

    fn trimmed(self) -> Self {
        Self { text: self.text, raw: past_blanks(self.raw) }
    }
}

fn options() -> Options {
    Options::default().with_default_extension(Extensions::IMPLICIT_SOME)
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The text after white space and comments, so that a place points at the value.
fn past_blanks(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        if let Some(comment) = text.strip_prefix("//") {
            text = comment.find('\n').map_or("", |end| &comment[end..]);
        } else if text.starts_with("/*") {
            text = past_block(text);
        } else {
            return text;
        }
    }
}

/// The text after a block comment; they nest in RON.
fn past_block(text: &str) -> &str {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(next) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if next.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if next.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            at += next.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    text.get(at..).unwrap_or_default()
}

/// The text after `#![enable(…)]`, which only the head of a file may hold.
fn past_attributes(text: &str) -> &str {
    let mut rest = past_blanks(text);
    while rest.starts_with('#') {
        let Some(end) = rest.find(']') else { return rest };
        rest = past_blanks(&rest[end + 1..]);
    }
    rest
}

/// The name of a field, borrowed from the text.
struct Name<'a>(&'a str);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Letters;
        impl<'de> Visitor<'de> for Letters {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }

            fn visit_borrowed_str<E: serde::de::Error>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(name))
            }
        }
        deserializer.deserialize_identifier(Letters)
    }
}

/// Reads pairs in their order, twice the same key twice.
struct Pairs<K>(PhantomData<K>);

impl<'de, K: Deserialize<'de>> Visitor<'de> for Pairs<K> {
    type Value = Vec<(K, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names with values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry::<K, &'de RawValue>()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str) -> Text {
        Text::new(PathBuf::from("a.ron"), body.to_owned())
    }

    #[test]
    fn pieces_know_their_place_past_comments_and_attributes() {
        let text = text(
            "#![enable(implicit_some)]\n// head\n(\n  é: 1, /* in /* nested */ */ b: // why\n    \"x\" /* after */,\n)",
        );
        let root = text.root().unwrap();
        assert_eq!(root.place().to_string(), "a.ron:3:1");
        let fields = root.fields().unwrap();
        let places: Vec<_> =
            fields.iter().map(|(n, v)| format!("{} {} {}", n.name(), n.place(), v.place())).collect();
        assert_eq!(places, ["é a.ron:4:3 a.ron:4:6", "b a.ron:4:31 a.ron:5:5"]);
        assert_eq!(fields[1].1.scalar(), Some(Scalar::Quoted("x".to_owned())));
    }

    #[test]
    fn duplicates_stay_and_options_are_taken_off() {
        let text = text(
            "(a: Some(1), a: None, b: {\"x\": 1, \"x\": 2}, c: [a, \"b\"], d: (1, 2), e: 5 // no unit\n)",
        );
        let fields = text.root().unwrap().fields().unwrap();
        assert_eq!(fields.len(), 6);
        assert_eq!(fields[0].1.some().unwrap().scalar(), Some(Scalar::Bare("1")));
        assert!(fields[1].1.some().is_none());
        assert_eq!(fields[2].1.entries().unwrap().len(), 2);
        assert_eq!(fields[3].1.items().unwrap()[0].scalar(), Some(Scalar::Bare("a")));
        assert!(fields[4].1.pair().is_some() && fields[4].1.scalar().is_none());
        assert_eq!(fields[5].1.scalar(), Some(Scalar::Bare("5")));
    }
}
