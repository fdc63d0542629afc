//! Puts the chunks of a streamed chat together to the completion that they tell. Pure.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::value::{RawValue, to_raw_value};

use crate::backends::litellm::{
    chunk::{ChatChunk, ChunkChoice},
    completion::{ChatCompletion, Choice, Content, Message, ToolCall},
    open::Extra,
    usage::Usage,
};

/// The completion as far as its stream has told it.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    id: String,
    model: String,
    answers: BTreeMap<u32, Answer>,
    usage: Option<Usage>,
    extra: Extra,
}

#[derive(Debug, Default)]
struct Answer {
    role: Option<String>,
    content: Option<String>,
    calls: Vec<ToolCall>,
    finish_reason: Option<String>,
    message_extra: IndexMap<String, Piece>,
    extra: Extra,
}

/// An unknown field of a message: texts are appended (`reasoning_content`), of all else the latest counts.
#[derive(Debug)]
enum Piece {
    Text(String),
    Whole(Box<RawValue>),
}

impl Assembly {
    /// Adds a chunk.
    pub(super) fn add(&mut self, chunk: ChatChunk) {
        if self.id.is_empty() {
            self.id = chunk.id;
        }
        if self.model.is_empty() {
            self.model = chunk.model;
        }
        for choice in chunk.choices {
            self.answers.entry(choice.index).or_default().add(choice);
        }
        if chunk.usage.is_some() {
            self.usage = chunk.usage;
        }
        self.extra.extend(chunk.extra);
    }

    /// The completion.
    pub(super) fn finish(self) -> ChatCompletion {
        ChatCompletion {
            id: self.id,
            object: "chat.completion".to_owned(),
            model: self.model,
            choices: self.answers.into_iter().map(|(index, answer)| answer.finish(index)).collect(),
            usage: self.usage,
            extra: self.extra,
        }
    }
}

impl Answer {
    fn add(&mut self, choice: ChunkChoice) {
        let delta = choice.delta;
        if self.role.is_none() {
            self.role = delta.role;
        }
        if let Some(Content(text)) = delta.content {
            self.content.get_or_insert_default().push_str(&text);
        }
        for call in delta.tool_calls {
            add_call(&mut self.calls, call);
        }
        for (name, value) in delta.extra {
            self.add_extra(name, value);
        }
        if choice.finish_reason.is_some() {
            self.finish_reason = choice.finish_reason;
        }
        self.extra.extend(choice.extra);
    }

    fn add_extra(&mut self, name: String, value: Box<RawValue>) {
        match (serde_json::from_str::<String>(value.get()), self.message_extra.get_mut(&name)) {
            (Ok(more), Some(Piece::Text(text))) => text.push_str(&more),
            (Ok(text), _) => {
                self.message_extra.insert(name, Piece::Text(text));
            }
            // A `null` after a text adds nothing to it.
            (Err(_), Some(_)) if value.get() == "null" => {}
            (Err(_), _) => {
                self.message_extra.insert(name, Piece::Whole(value));
            }
        }
    }

    fn finish(self, index: u32) -> Choice {
        let extra = self.message_extra.into_iter().map(|(name, piece)| match piece {
            Piece::Text(text) => (name, to_raw_value(&text).expect("a text can be written")),
            Piece::Whole(value) => (name, value),
        });
        let message = Message {
            role: self.role.or_else(|| Some("assistant".to_owned())),
            content: self.content.map(Content),
            tool_calls: self.calls,
            extra: extra.collect(),
        };
        Choice { index, message, finish_reason: self.finish_reason, extra: self.extra }
    }
}

/// Adds a part of a tool call to the call of its index. Servers without indexes begin a call with its id, or with its
/// name; some give calls of one answer the same index, and tell them apart by their ids alone.
fn add_call(calls: &mut Vec<ToolCall>, part: ToolCall) {
    let another = |call: &ToolCall| matches!((&call.id, &part.id), (Some(a), Some(b)) if a != b);
    let same = calls.iter().rposition(|call| match (part.index, &part.id) {
        (Some(index), _) => call.index == Some(index) && !another(call),
        (None, Some(id)) => call.id.as_ref() == Some(id),
        (None, None) => part.function.name.is_none(),
    });
    let Some(call) = same.map(|at| &mut calls[at]) else {
        calls.push(part);
        return;
    };
    call.id = call.id.take().or(part.id);
    call.kind = call.kind.take().or(part.kind);
    // Some servers repeat the whole name with every part; none sends it in pieces.
    call.function.name = call.function.name.take().or(part.function.name);
    if let Some(arguments) = part.function.arguments {
        call.function.arguments.get_or_insert_default().push_str(&arguments);
    }
    call.extra.extend(part.extra);
    call.function.extra.extend(part.function.extra);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assembled(chunks: &[&str]) -> String {
        let mut assembly = Assembly::default();
        for chunk in chunks {
            assembly.add(serde_json::from_str(chunk).unwrap());
        }
        serde_json::to_string(&assembly.finish()).unwrap()
    }

    #[test]
    fn texts_are_appended_and_the_usage_is_kept() {
        let whole = assembled(&[
            r#"{"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning_content":"I "}}]}"#,
            r#"{"id":"a","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Hel","reasoning_content":"think"}}]}"#,
            r#"{"id":"a","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"lo","reasoning_content":null},"logprobs":null}]}"#,
            r#"{"id":"a","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"id":"a","created":1,"model":"m","choices":[],"usage":{"total_tokens":9}}"#,
        ]);
        assert_eq!(
            whole,
            r#"{"id":"a","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello","reasoning_content":"I think"},"finish_reason":"stop","logprobs":null}],"usage":{"total_tokens":9},"created":1}"#
        );
    }

    #[test]
    fn tool_calls_are_merged_by_index_or_by_id() {
        let part = |call: &str| format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{call}]}}}}]}}"#);
        let calls = |parts: &[&str]| {
            let chunks: Vec<_> = parts.iter().map(|p| part(p)).collect();
            assembled(&chunks.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let indexed = calls(&[
            r#"{"index":0,"id":"x","type":"function","function":{"name":"f","arguments":""}}"#,
            r#"{"index":1,"id":"y","type":"function","function":{"name":"g","arguments":"{"}}"#,
            r#"{"index":0,"function":{"arguments":"{\"a\""}}"#,
            r#"{"index":1,"function":{"arguments":"}"}}"#,
            r#"{"index":0,"function":{"arguments":":1}"}}"#,
        ]);
        assert!(indexed.contains(r#""name":"f","arguments":"{\"a\":1}""#), "{indexed}");
        assert!(indexed.contains(r#""name":"g","arguments":"{}""#), "{indexed}");
        let twins = calls(&[
            r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}"#,
            r#"{"index":0,"id":"y","function":{"name":"f","arguments":"{\"a\":"}}"#,
            r#"{"index":0,"function":{"arguments":"1}"}}"#,
        ]);
        assert!(
            twins.contains(r#""id":"x","function":{"name":"f","arguments":"{}"}"#)
                && twins.contains(r#""arguments":"{\"a\":1}""#),
            "{twins}"
        );
        let nameless = calls(&[
            r#"{"function":{"name":"f","arguments":"{}"}}"#,
            r#"{"function":{"name":"g","arguments":"["}}"#,
            r#"{"function":{"arguments":"]"}}"#,
        ]);
        assert!(
            nameless.contains(r#""name":"f","arguments":"{}""#) && nameless.contains(r#""arguments":"[]""#)
        );
        let bare = calls(&[
            r#"{"id":"x","function":{"name":"f","arguments":"{"}}"#,
            r#"{"function":{"arguments":"}"}}"#,
            r#"{"id":"y","function":{"name":"g","arguments":"[]"}}"#,
        ]);
        assert!(
            bare.contains(r#""name":"f","arguments":"{}""#) && bare.contains(r#""arguments":"[]""#),
            "{bare}"
        );
    }
}
