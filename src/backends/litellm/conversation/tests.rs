use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// One token a message.
fn one(_: &RawValue) -> usize {
    1
}

fn sent(request: &ChatRequest) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&request.whole()).unwrap();
    body["messages"].as_array().unwrap().clone()
}

fn with_tools() -> Conversation {
    let mut talk = Conversation::new();
    talk.system("s");
    talk.user("first");
    let calls = r#"{"choices":[{"message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]}}]}"#;
    talk.answer(&serde_json::from_str(calls).unwrap());
    talk.tool("a", "1");
    talk.tool("b", "2");
    talk.message(&json!({"role": "developer", "content": "d"})).unwrap();
    talk.user("last");
    talk
}

#[test]
fn what_fits_goes_whole() {
    let talk = with_tools();
    let messages = sent(&talk.within(10_000).unwrap());
    assert_eq!(messages.len(), talk.len());
    assert_eq!(messages[2]["tool_calls"][1]["function"]["name"], "g");
    assert_eq!(messages[4], json!({"role": "tool", "tool_call_id": "b", "content": "2"}));
}

#[test]
fn instructions_stay_and_calls_go_with_their_results() {
    let talk = with_tools();
    let roles = |budget| -> Vec<String> {
        let messages = sent(&talk.within_by(budget, one).unwrap());
        messages.iter().map(|m| m["role"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(roles(7), ["system", "user", "assistant", "tool", "tool", "developer", "user"]);
    assert_eq!(roles(6), ["system", "assistant", "tool", "tool", "developer", "user"]);
    for tight in [3, 4, 5] {
        assert_eq!(roles(tight), ["system", "developer", "user"], "{tight}");
    }
    for none in [0, 1, 2] {
        assert_eq!(talk.within_by(none, one).unwrap_err().code(), Code::BadRequest, "{none}");
    }
}

#[test]
fn what_is_no_message_is_refused() {
    let mut talk = Conversation::new();
    for bad in [json!(1), json!({}), json!({"role": 1}), json!("user")] {
        assert_eq!(talk.message(&bad).unwrap_err().code(), Code::BadRequest, "{bad}");
    }
    assert!(talk.is_empty() && sent(&talk.within(0).unwrap()).is_empty());
}

proptest! {
    #[test]
    fn any_conversation_is_within_its_budget_and_whole(sorts in prop::collection::vec(0u8..4, 0..40), budget in 0usize..60) {
        let mut talk = Conversation::new();
        for (n, sort) in sorts.iter().enumerate() {
            match sort {
                0 => talk.system(n.to_string()),
                1 => talk.user(n.to_string()),
                2 => talk.message(&json!({"role": "assistant", "content": n.to_string()})).unwrap(),
                _ => talk.tool("x", n.to_string()),
            }
        }
        let Ok(kept) = talk.kept(budget, one) else { return Ok(()) };
        prop_assert!(kept.len() <= budget);
        for (at, said) in talk.said.iter().enumerate() {
            let there = kept.contains(&at);
            prop_assert!(there || said.sort != Sort::Standing, "an instruction is missing");
            let before = (0..at).rev().find(|n| talk.said[*n].sort != Sort::Standing);
            if let (Sort::Result, Some(before)) = (said.sort, before) {
                prop_assert_eq!(there, kept.contains(&before), "a result without its call, or the other way round");
            }
        }
    }
}
