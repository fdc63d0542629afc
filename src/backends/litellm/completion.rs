//! A completed chat, as the server sent it or as its stream told it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::backends::litellm::{open::open_struct, usage::Usage};

open_struct! {
    /// The answer to a chat.
    pub struct ChatCompletion {
        /// The server's id for it.
        id: String = "id",
        /// `chat.completion`.
        object: String = "object",
        /// The model that answered. LiteLLM gives the name under which it offers the model.
        model: String = "model",
        /// The answers, one unless more were asked for.
        choices: Vec<Choice> = "choices",
        /// Tokens used, where the server says.
        usage: Option<Usage> = "usage",
    }
}

open_struct! {
    /// One answer.
    pub struct Choice {
        /// Its place among the answers.
        index: u32 = "index",
        /// What was said.
        message: Message = "message",
        /// Why it ended: `stop`, `length`, `tool_calls`, `content_filter`. LiteLLM 1.106.2 says `stop`, too, where its
        /// upstream ended early without a reason: that truncation cannot be seen from outside.
        finish_reason: Option<String> = "finish_reason",
    }
}

open_struct! {
    /// What one side said; in a stream, what is added to it.
    pub struct Message {
        /// `assistant`, mostly.
        role: Option<String> = "role",
        /// The text.
        content: Option<Content> = "content",
        /// Functions that the model wants called.
        tool_calls: Vec<ToolCall> = "tool_calls",
    }
}

open_struct! {
    /// A function that the model wants called; in a stream, a part of it.
    pub struct ToolCall {
        /// Its place among the calls, in a stream.
        index: Option<u32> = "index",
        /// Its id, which the answer to it names.
        id: Option<String> = "id",
        /// `function`.
        kind: Option<String> = "type",
        /// Which function.
        function: Function = "function",
    }
}

open_struct! {
    /// The function of a tool call.
    pub struct Function {
        /// Its name.
        name: Option<String> = "name",
        /// Its arguments, a JSON text as the model wrote it: check it before use.
        arguments: Option<String> = "arguments",
    }
}

impl ChatCompletion {
    /// The text of the first answer; empty where it has none.
    pub fn text(&self) -> &str {
        self.choices.first().and_then(|c| c.message.content.as_ref()).map_or("", Content::as_str)
    }
}

impl ChatCompletion {
    /// Whether it is an answer without a word or a call: so LiteLLM 1.106.2 shows a streaming upstream that sent a web
    /// page, with an invented reason to finish.
    pub(super) fn says_nothing(&self) -> bool {
        let silent = |m: &Message| {
            m.tool_calls.is_empty() && m.extra.is_empty() && m.content.as_ref().is_none_or(|c| c.0.is_empty())
        };
        self.choices.iter().all(|c| silent(&c.message))
    }
}

/// The text of the first answer of a completion as it was kept; empty where it cannot be read.
pub(crate) fn text_of(completion: &str) -> String {
    serde_json::from_str(completion).map_or_else(|_| String::new(), |c: ChatCompletion| c.text().to_owned())
}

impl super::open::Present for Message {
    fn is_present(&self) -> bool {
        true
    }
}

impl super::open::Present for Function {
    fn is_present(&self) -> bool {
        true
    }
}

/// The text of a message. Most servers send a string; where one sends a list of parts, the texts of its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Content(pub String);

impl Content {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: Option<String>,
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of parts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Content(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Content, E> {
                Ok(Content(text))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
                let mut text = String::new();
                while let Some(part) = parts.next_element::<Part>()? {
                    text.push_str(part.text.as_deref().unwrap_or_default());
                }
                Ok(Content(text))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_survive_at_every_level() {
        let text = r#"{"id":"a","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi","provider_specific_fields":{"refusal":null}},"finish_reason":"stop","provider_specific_fields":{}}],"usage":{"prompt_tokens":5,"cost":0.125},"created":1,"big":12345678901234567890123}"#;
        let completion: ChatCompletion = serde_json::from_str(text).unwrap();
        assert_eq!(completion.text(), "hi");
        assert_eq!(serde_json::to_string(&completion).unwrap(), text, "digits of a large number included");
    }

    #[test]
    fn null_means_absent_and_parts_become_text() {
        let text = r#"{"id":null,"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"image"},{"text":"b"}],"tool_calls":null}}],"usage":null}"#;
        let completion: ChatCompletion = serde_json::from_str(text).unwrap();
        assert_eq!((completion.text(), completion.id.as_str()), ("ab", ""));
        assert!(completion.usage.is_none() && completion.choices[0].message.tool_calls.is_empty());
    }
}
