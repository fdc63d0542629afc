//! From what the caller gave, a list by position or an object by name, to what the app wants. Pure.

use indexmap::IndexMap;
use serde_json::value::RawValue;

use crate::{
    backends::gradio::{
        function::{Function, Input},
        parameter::{Parameter, Signature},
    },
    model::{Code, Fault},
};

/// What the caller gave.
enum Given {
    List(Vec<Box<RawValue>>),
    Named(IndexMap<String, Box<RawValue>>),
}

/// The values of a request's `data`: one for each input, `null` for a state, the app's default for what the caller
/// left out.
///
/// # Errors
/// [`Code::BadRequest`], which names the parameters.
pub fn arrange(
    function: &Function,
    signature: Option<&Signature>,
    given: &RawValue,
) -> Result<Vec<Box<RawValue>>, Fault> {
    let values = match read(given)? {
        Given::List(list) => by_position(function, signature, list)?,
        Given::Named(named) => by_name(function, signature, named)?,
    };
    let mut values = values.into_iter();
    let arranged = function.inputs.iter().map(|input| match input {
        Input::State => Ok(null()),
        Input::Value(_) => values.next().ok_or_else(|| wrong(function, signature, "is given too few values")),
    });
    arranged.collect()
}

fn read(given: &RawValue) -> Result<Given, Fault> {
    let text = given.get().trim_start();
    let read = match text.as_bytes().first() {
        Some(b'[') => serde_json::from_str(text).map(Given::List),
        Some(b'{') => serde_json::from_str(text).map(Given::Named),
        _ => return Err(Fault::new(Code::BadRequest, "`data` is neither a list nor an object")),
    };
    read.map_err(|e| Fault::new(Code::BadRequest, format!("`data` cannot be read: {e}")))
}

fn by_position(
    function: &Function,
    signature: Option<&Signature>,
    mut list: Vec<Box<RawValue>>,
) -> Result<Vec<Box<RawValue>>, Fault> {
    let wanted = function.inputs.iter().filter(|i| **i != Input::State).count();
    if list.len() > wanted {
        let what = format!("takes {wanted} values and is given {}", list.len());
        return Err(wrong(function, signature, &what));
    }
    let parameters = signature.map(|s| s.parameters.as_slice()).unwrap_or_default();
    while list.len() < wanted {
        match parameters.get(list.len()) {
            Some(p) if p.parameter_has_default => list.push(default_of(p)),
            Some(p) => {
                let what = format!("is given no `{}`, which has no default", p.name());
                return Err(wrong(function, signature, &what));
            }
            None => {
                let what = format!("takes {wanted} values and is given {}", list.len());
                return Err(wrong(function, signature, &what));
            }
        }
    }
    Ok(list)
}

fn by_name(
    function: &Function,
    signature: Option<&Signature>,
    mut named: IndexMap<String, Box<RawValue>>,
) -> Result<Vec<Box<RawValue>>, Fault> {
    let Some(Signature { parameters }) = signature else {
        let what = "has no parameter names in the app's API: give `data` as a list";
        return Err(wrong(function, None, what));
    };
    let mut values = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        match named.swap_remove(parameter.name()) {
            Some(value) => values.push(value),
            None if parameter.parameter_has_default => values.push(default_of(parameter)),
            None => {
                let what = format!("is given no `{}`, which has no default", parameter.name());
                return Err(wrong(function, signature, &what));
            }
        }
    }
    match named.keys().next() {
        Some(unknown) => Err(wrong(function, signature, &format!("has no parameter `{unknown}`"))),
        None => Ok(values),
    }
}

fn default_of(parameter: &Parameter) -> Box<RawValue> {
    parameter.parameter_default.clone().unwrap_or_else(null)
}

fn null() -> Box<RawValue> {
    RawValue::from_string("null".to_owned()).expect("null is JSON")
}

fn wrong(function: &Function, signature: Option<&Signature>, what: &str) -> Fault {
    let name = match &function.name {
        Some(name) => format!("/{name}"),
        None => format!("function {}", function.index),
    };
    let list: Vec<String> = match signature {
        Some(s) => s
            .parameters
            .iter()
            .map(|p| match p.parameter_has_default {
                true => format!("{} (has a default)", p.name()),
                false => p.name().to_owned(),
            })
            .collect(),
        None => function
            .inputs
            .iter()
            .filter_map(|i| match i {
                Input::Value(label) => Some(label.clone().unwrap_or_else(|| "a value".to_owned())),
                Input::State => None,
            })
            .collect(),
    };
    let takes = if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    Fault::new(Code::BadRequest, format!("{name} {what}; its parameters are {takes}"))
}

#[cfg(test)]
mod tests;
