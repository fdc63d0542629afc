//! `{"$file": PATH}` in the arguments of work: found here, uploaded by the kind's own folder, put in its place here. Pure.

use serde_json::{Value, value::RawValue};

/// Whether a document may hold one; where it does not, it stays as it is, to the byte.
pub(crate) fn may_be_in(raw: &RawValue) -> bool {
    raw.get().contains("\"$file\"")
}

/// The paths that are asked for, each once.
pub(crate) fn paths(tree: &Value) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut todo = vec![tree];
    while let Some(value) = todo.pop() {
        match (asked(value), value) {
            (Some(path), _) if !found.iter().any(|f| f == path) => found.push(path.to_owned()),
            (Some(_), _) => {}
            (None, Value::Array(list)) => todo.extend(list),
            (None, Value::Object(map)) => todo.extend(map.values()),
            _ => {}
        }
    }
    found
}

/// Puts what stands for the uploaded file wherever this path was asked for.
pub(crate) fn put(tree: &mut Value, path: &str, file: &Value) {
    if asked(tree) == Some(path) {
        *tree = file.clone();
        return;
    }
    match tree {
        Value::Array(list) => list.iter_mut().for_each(|v| put(v, path, file)),
        Value::Object(map) => map.values_mut().for_each(|v| put(v, path, file)),
        _ => {}
    }
}

fn asked(value: &Value) -> Option<&str> {
    let map = value.as_object().filter(|m| m.len() == 1)?;
    map.get("$file")?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_is_found_and_replaced_wherever_it_stands() {
        let mut tree =
            json!([{"$file": "a.png"}, [{"image": {"$file": "b.png"}}], {"$file": "a.png"}, {"$file": 1}]);
        let mut found = paths(&tree);
        found.sort();
        assert_eq!(found, ["a.png", "b.png"]);
        put(&mut tree, "a.png", &json!("A"));
        assert_eq!(tree, json!(["A", [{"image": {"$file": "b.png"}}], "A", {"$file": 1}]));
    }
}
