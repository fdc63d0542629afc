//! Values that stand in a graph themselves, checked against their input's declaration.

use serde_json::{Value, json};

use crate::sim::comfyui::{
    disk::Files,
    nodes::{Input, Kind},
};

/// The complaint about a value, if there is one.
pub(super) fn check(files: &Files, input: &Input, value: &Value) -> Option<Value> {
    match input.kind {
        Kind::Int { min, max } => match whole(value) {
            Ok(n) if n < min => Some(small(files, input, &json!(n), &min.to_string())),
            Ok(n) if n > max => Some(big(files, input, &json!(n), &max.to_string())),
            Ok(_) => None,
            Err(why) => Some(unfit(files, input, value, &why)),
        },
        Kind::Float { min, max } => match real(value) {
            Ok(x) if x < min => Some(small(files, input, &json!(x), &min.to_string())),
            Ok(x) if x > max => Some(big(files, input, &json!(x), &max.to_string())),
            Ok(_) => None,
            Err(why) => Some(unfit(files, input, value, &why)),
        },
        Kind::OneOf(choices) => choice(files, input, value, choices.iter().copied()),
        Kind::Checkpoint => choice(files, input, value, files.checkpoints.iter().map(String::as_str)),
        Kind::InputFile if !value.as_str().is_some_and(|v| files.input.iter().any(|f| f == v)) => {
            let details = format!("{} - Invalid image file: {}", input.name, text(value));
            Some(json!({"type": "custom_validation_failed", "message": "Custom validation failed for node",
                "details": details, "extra_info": {"input_name": input.name}}))
        }
        _ => None,
    }
}

fn choice<'a>(
    files: &Files,
    input: &Input,
    value: &Value,
    choices: impl Iterator<Item = &'a str> + Clone,
) -> Option<Value> {
    if value.as_str().is_some_and(|v| choices.clone().any(|choice| choice == v)) {
        return None;
    }
    let list: Vec<_> = choices.map(|c| format!("'{c}'")).collect();
    let details = format!("{}: '{}' not in [{}]", input.name, text(value), list.join(", "));
    Some(complain(files, input, "value_not_in_list", "Value not in list", &details, value))
}

fn small(files: &Files, input: &Input, value: &Value, min: &str) -> Value {
    let message = format!("Value {value} smaller than min of {min}");
    complain(files, input, "value_smaller_than_min", &message, input.name, value)
}

fn big(files: &Files, input: &Input, value: &Value, max: &str) -> Value {
    let message = format!("Value {value} bigger than max of {max}");
    complain(files, input, "value_bigger_than_max", &message, input.name, value)
}

fn unfit(files: &Files, input: &Input, value: &Value, why: &str) -> Value {
    let kind = input.kind_name();
    let message = format!("Failed to convert an input value to a {kind} value");
    let details = format!("{}, {}, {why}", input.name, text(value));
    let mut complaint = complain(files, input, "invalid_input_type", &message, &details, value);
    complaint["extra_info"]["exception_message"] = json!(why);
    complaint
}

/// A complaint about an input.
pub(super) fn complain(
    files: &Files,
    input: &Input,
    kind: &str,
    message: &str,
    details: &str,
    value: &Value,
) -> Value {
    json!({"type": kind, "message": message, "details": details, "extra_info": {"input_name": input.name,
        "input_config": input.declaration(files), "received_value": value}})
}

/// A value as Python prints it.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn whole(value: &Value) -> Result<i64, String> {
    match value {
        Value::Bool(b) => Ok(i64::from(*b)),
        Value::Number(n) => {
            n.as_i64().or_else(|| n.as_f64().map(|x| x as i64)).ok_or_else(|| "not a number".to_owned())
        }
        Value::String(s) => {
            s.trim().parse().map_err(|_| format!("invalid literal for int() with base 10: '{s}'"))
        }
        _ => Err("int() argument must be a string, a bytes-like object or a real number".to_owned()),
    }
}

fn real(value: &Value) -> Result<f64, String> {
    match value {
        Value::Bool(b) => Ok(f64::from(u8::from(*b))),
        Value::Number(n) => n.as_f64().ok_or_else(|| "not a number".to_owned()),
        Value::String(s) => s.trim().parse().map_err(|_| format!("could not convert string to float: '{s}'")),
        _ => Err("float() argument must be a string or a real number".to_owned()),
    }
}
