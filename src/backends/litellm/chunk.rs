//! One event of a streamed chat.

use serde_json::value::RawValue;

use crate::backends::litellm::{
    completion::{ChatCompletion, Content, Message},
    open::open_struct,
    usage::Usage,
};

open_struct! {
    /// One event of a streamed chat.
    pub struct ChatChunk {
        /// The server's id of the chat.
        id: String = "id",
        /// `chat.completion.chunk`.
        object: String = "object",
        /// The model that answers.
        model: String = "model",
        /// What is added to each answer. Empty in OpenAI's usage event; LiteLLM 1.106.2 sends an empty delta there.
        choices: Vec<ChunkChoice> = "choices",
        /// Tokens used, in the last event where it was asked for.
        usage: Option<Usage> = "usage",
        /// An error in the middle of the stream. A chunk that is given out has none.
        error: Option<Box<RawValue>> = "error",
    }
}

open_struct! {
    /// What is added to one answer.
    pub struct ChunkChoice {
        /// Which answer.
        index: u32 = "index",
        /// What is added.
        delta: Message = "delta",
        /// Why the answer ended, in its last event.
        finish_reason: Option<String> = "finish_reason",
    }
}

impl ChatChunk {
    /// The text that the first answer gains; empty where it gains none.
    pub fn text(&self) -> &str {
        let first = self.choices.iter().find(|c| c.index == 0);
        first.and_then(|c| c.delta.content.as_ref()).map_or("", Content::as_str)
    }
}

impl From<ChatCompletion> for ChatChunk {
    /// A whole answer as one event, for a server that does not stream.
    fn from(whole: ChatCompletion) -> Self {
        let choices = whole.choices.into_iter().map(|c| ChunkChoice {
            index: c.index,
            delta: c.message,
            finish_reason: c.finish_reason,
            extra: c.extra,
        });
        Self {
            id: whole.id,
            object: "chat.completion.chunk".to_owned(),
            model: whole.model,
            choices: choices.collect(),
            usage: whole.usage,
            error: None,
            extra: whole.extra,
        }
    }
}
