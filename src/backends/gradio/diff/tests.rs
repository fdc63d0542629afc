use proptest::prelude::*;
use serde_json::{Number, json};

use super::*;

fn changed(before: Value, edits: Value) -> Result<Value, Misfit> {
    let mut value = before;
    apply(&mut value, &edits)?;
    Ok(value)
}

#[test]
fn the_operations_do_what_gradios_own_client_does() {
    let cases = [
        (json!("Status: 0 "), json!([["append", [], "1 "]]), json!("Status: 0 1 ")),
        (json!({"a": 1}), json!([["replace", [], {"a": 2}]]), json!({"a": 2})),
        (
            json!({"a": [1, {"b": "x"}]}),
            json!([["append", ["a", 1, "b"], "y"]]),
            json!({"a": [1, {"b": "xy"}]}),
        ),
        (json!([1, 3]), json!([["add", [1], 2]]), json!([1, 2, 3])),
        (json!([1]), json!([["add", [1], 2]]), json!([1, 2])),
        (json!({}), json!([["add", ["k"], 2]]), json!({"k": 2})),
        (json!([1, 2, 3]), json!([["delete", [1], null]]), json!([1, 3])),
        (json!({"a": 1, "b": 2}), json!([["delete", ["a"], null]]), json!({"b": 2})),
        (json!([[0]]), json!([["replace", [0, 0], 5], ["add", [1], "new"]]), json!([[5], "new"])),
        (json!("same"), json!([]), json!("same")),
    ];
    for (before, edits, after) in cases {
        assert_eq!(changed(before.clone(), edits.clone()), Ok(after), "{before} {edits}");
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let cases = [
        json!({"op": "append"}),
        json!([["append", []]]),
        json!([["conjure", [], 1]]),
        json!([["append", [], 1]]),
        json!([["replace", ["no", "such"], 1]]),
        json!([["delete", [9], null]]),
        json!([["add", [-1], null]]),
        json!([["replace", "a", 1]]),
        json!([["delete", [], null]]),
    ];
    for edits in cases {
        assert_eq!(changed(json!(["a"]), edits.clone()), Err(Misfit), "{edits}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-3i64..9).prop_map(|n| Value::Number(Number::from(n))),
        "[a-c]{0,2}".prop_map(Value::String),
        prop_oneof!["append", "replace", "add", "delete"].prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec(("[a-c]{0,2}", inner), 0..4)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(before in any_value(), edits in any_value()) {
        let _ = changed(before, edits);
    }

    #[test]
    fn no_edit_makes_it_panic(
        before in any_value(),
        edits in prop::collection::vec(
            (prop_oneof!["append", "replace", "add", "delete"], prop::collection::vec(any_value(), 0..3), any_value()),
            0..5,
        ),
    ) {
        let edits: Vec<Value> = edits.into_iter().map(|(op, path, value)| json!([op, path, value])).collect();
        let _ = changed(before, Value::Array(edits));
    }
}
