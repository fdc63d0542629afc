//! The differences that a generator's later yields are sent as. Pure, and total: a difference that does not fit its
//! value is an error, never a panic.
//!
//! From `sse_v2` on (Gradio 4.44.1, 5.29.0 and 6.31.0 all do it) the first yield of a run brings whole values, each
//! later one a list of edits `[operation, path, value]` for each output, and the end whole values again. The values
//! are whatever the app makes, so [`Value`] is their type.

use serde_json::Value;

/// The deepest path that is followed.
const DEPTH: usize = 128;

/// A difference that does not fit the value before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an edit does not fit the value before it")]
pub struct Misfit;

/// Applies the edits of one output.
///
/// # Errors
/// [`Misfit`]; the value is then of no use.
pub fn apply(target: &mut Value, edits: &Value) -> Result<(), Misfit> {
    for edit in edits.as_array().ok_or(Misfit)? {
        let [operation, path, value] = edit.as_array().ok_or(Misfit)?.as_slice() else { return Err(Misfit) };
        let (operation, path) = (operation.as_str().ok_or(Misfit)?, path.as_array().ok_or(Misfit)?);
        change(target, path, operation, value)?;
    }
    Ok(())
}

fn change(target: &mut Value, path: &[Value], operation: &str, value: &Value) -> Result<(), Misfit> {
    let Some((last, way)) = path.split_last() else {
        return match operation {
            "replace" => {
                *target = value.clone();
                Ok(())
            }
            "append" => append(target, value),
            _ => Err(Misfit),
        };
    };
    if way.len() > DEPTH {
        return Err(Misfit);
    }
    let place = way.iter().try_fold(target, child)?;
    match operation {
        "replace" => *child(place, last)? = value.clone(),
        "append" => append(child(place, last)?, value)?,
        "add" => add(place, last, value)?,
        "delete" => delete(place, last)?,
        _ => return Err(Misfit),
    }
    Ok(())
}

fn child<'v>(place: &'v mut Value, step: &Value) -> Result<&'v mut Value, Misfit> {
    match place {
        Value::Array(list) => list.get_mut(index(step)?).ok_or(Misfit),
        Value::Object(map) => map.get_mut(&key(step)).ok_or(Misfit),
        _ => Err(Misfit),
    }
}

fn append(target: &mut Value, value: &Value) -> Result<(), Misfit> {
    match (target, value) {
        (Value::String(text), Value::String(more)) => text.push_str(more),
        (Value::Array(list), Value::Array(more)) => list.extend(more.iter().cloned()),
        _ => return Err(Misfit),
    }
    Ok(())
}

fn add(place: &mut Value, last: &Value, value: &Value) -> Result<(), Misfit> {
    match place {
        Value::Array(list) => {
            let at = index(last)?;
            if at > list.len() {
                return Err(Misfit);
            }
            list.insert(at, value.clone());
        }
        Value::Object(map) => {
            map.insert(key(last), value.clone());
        }
        _ => return Err(Misfit),
    }
    Ok(())
}

fn delete(place: &mut Value, last: &Value) -> Result<(), Misfit> {
    match place {
        Value::Array(list) => {
            let at = index(last)?;
            if at >= list.len() {
                return Err(Misfit);
            }
            list.remove(at);
        }
        Value::Object(map) => {
            map.remove(&key(last)).ok_or(Misfit)?;
        }
        _ => return Err(Misfit),
    }
    Ok(())
}

fn index(step: &Value) -> Result<usize, Misfit> {
    let number = match step {
        Value::Number(n) => n.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.and_then(|n| usize::try_from(n).ok()).ok_or(Misfit)
}

fn key(step: &Value) -> String {
    match step {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
