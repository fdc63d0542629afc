//! `{"$file": PATH}` in the arguments of work: found here, uploaded by the kind's own folder, put in its place here.
//! `{"$file": PATH, "name": NAME}` also says what the other side shall call it. Pure; what stands around a file stays
//! as it came, numbers digit by digit.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::model::{Code, Fault};

/// How deep documents with files in them may be nested: as deep as the parser goes elsewhere.
const DEPTH: usize = 120;

/// A file that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// What names it: a path here, in a request also a handle.
    #[serde(rename = "$file")]
    pub(crate) file: String,
    #[serde(default)]
    name: Option<String>,
}

impl Asked {
    /// What the other side shall call it: what was said, else the last part of the path.
    pub(crate) fn name(&self) -> &str {
        let last = || self.file.rsplit(['/', '\\']).next().unwrap_or_default();
        self.name.as_deref().unwrap_or_else(last)
    }
}

/// Whether a document may hold one; where it does not, it stays as it is, to the byte.
pub(crate) fn may_be_in(raw: &RawValue) -> bool {
    raw.get().contains("\"$file\"")
}

/// The files that are asked for, each once, with the place where it first stands, like `data[2].image`.
///
/// # Errors
/// [`Code::BadRequest`] for what is nested too deep.
pub(crate) fn asked(raw: &RawValue, root: &str) -> Result<Vec<(Asked, String)>, Fault> {
    let mut found: Vec<(Asked, String)> = Vec::new();
    walk(raw, &mut root.to_owned(), 0, &mut |asked, place| {
        if !found.iter().any(|(known, _)| *known == asked) {
            found.push((asked, place.to_owned()));
        }
        None
    })?;
    Ok(found)
}

/// The document with what stands for each file in its place; a file that nothing stands for stays.
///
/// # Errors
/// As [`asked`].
pub(crate) fn put(
    raw: &RawValue,
    stands_for: impl Fn(&Asked) -> Option<Box<RawValue>>,
) -> Result<Box<RawValue>, Fault> {
    let mut any = false;
    let put = walk(raw, &mut String::new(), 0, &mut |asked, _| {
        let file = stands_for(&asked);
        any |= file.is_some();
        file
    })?;
    Ok(if any { put } else { raw.to_owned() })
}

/// The form in a document.
pub(crate) fn form(file: &str, name: &str) -> Box<RawValue> {
    to_raw_value(&serde_json::json!({ "$file": file, "name": name })).expect("two texts are JSON")
}

type Visit<'a> = dyn FnMut(Asked, &str) -> Option<Box<RawValue>> + 'a;

fn walk(
    raw: &RawValue,
    place: &mut String,
    depth: usize,
    visit: &mut Visit<'_>,
) -> Result<Box<RawValue>, Fault> {
    if !may_be_in(raw) {
        return Ok(raw.to_owned());
    }
    if depth > DEPTH {
        return Err(Fault::new(Code::BadRequest, format!("`{place}` is nested more than {DEPTH} deep")));
    }
    let unreadable = |e: serde_json::Error| Fault::new(Code::BadRequest, format!("`{place}`: {e}"));
    let text = raw.get().trim_start();
    if text.starts_with('[') {
        let list: Vec<&RawValue> = serde_json::from_str(text).map_err(unreadable)?;
        let mut made = Vec::with_capacity(list.len());
        for (index, value) in list.into_iter().enumerate() {
            made.push(below(place, &format!("[{index}]"), |place| walk(value, place, depth + 1, visit))?);
        }
        return Ok(to_raw_value(&made).expect("checked JSON is JSON"));
    }
    if !text.starts_with('{') {
        return Ok(raw.to_owned());
    }
    if let Ok(asked) = serde_json::from_str::<Asked>(text) {
        return Ok(visit(asked, place).unwrap_or_else(|| raw.to_owned()));
    }
    let map: IndexMap<String, &RawValue> = serde_json::from_str(text).map_err(unreadable)?;
    let mut made = IndexMap::with_capacity(map.len());
    for (name, value) in map {
        let value = below(place, &format!(".{name}"), |place| walk(value, place, depth + 1, visit))?;
        made.insert(name, value);
    }
    Ok(to_raw_value(&made).expect("checked JSON is JSON"))
}

/// Goes one step down in the document, and comes back.
fn below<T>(place: &mut String, step: &str, go: impl FnOnce(&mut String) -> T) -> T {
    let length = place.len();
    place.push_str(step);
    let done = go(place);
    place.truncate(length);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_file_is_found_and_replaced_wherever_it_stands() {
        let document = raw(
            r#"[{"$file":"in/a.png"}, [{"image": {"$file": "b.png", "name": "start.png"}}], {"$file":"in/a.png"},
                {"$file": 1}, {"$file": "c", "more": 2}, 12345678901234567890123, 1.0e2]"#,
        );
        let found = asked(&document, "data").unwrap();
        let shown: Vec<_> =
            found.iter().map(|(f, place)| (f.file.as_str(), f.name(), place.as_str())).collect();
        assert_eq!(shown, [("in/a.png", "a.png", "data[0]"), ("b.png", "start.png", "data[1][0].image")]);
        let done = put(&document, |asked| (asked.name() == "a.png").then(|| raw("\"A\""))).unwrap();
        assert_eq!(
            done.get(),
            r#"["A",[{"image":{"$file": "b.png", "name": "start.png"}}],"A",{"$file":1},{"$file":"c","more":2},12345678901234567890123,1.0e2]"#
        );
    }

    #[test]
    fn what_is_nested_without_end_is_refused_and_harms_nobody() {
        let deep = format!("{}{{\"$file\":\"x\"}}{}", "[".repeat(100_000), "]".repeat(100_000));
        let fault = asked(&raw(&deep), "data").unwrap_err();
        assert_eq!(fault.code(), Code::BadRequest);
    }

    #[test]
    fn a_document_without_files_stays_as_it_is_to_the_byte() {
        let text = r#"{ "a" : [1.50, "$file"] }"#;
        assert_eq!(put(&raw(text), |_| None).unwrap().get(), text);
    }
}
