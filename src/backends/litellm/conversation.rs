//! A conversation that is kept within a budget of tokens. Pure.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    backends::litellm::{completion::ChatCompletion, request::ChatRequest},
    model::{Code, Fault},
};

/// Tokens that servers add to each message for its frame (OpenAI's own count).
const FRAME: usize = 4;
/// Bytes of JSON to a token, of English text; other languages have fewer, and a host that knows its tokenizer counts
/// by it ([`Conversation::within_by`]).
const BYTES: usize = 4;

/// A conversation under way: what was said, as messages of the protocol.
///
/// What is sent is the longest end of it that fits a budget. The instructions (`system`, `developer`) always go along,
/// each in its place, and an answer that called tools goes with all the results of its calls or not at all: a server
/// refuses the one without the others.
///
/// ```
/// # use backline::backends::litellm::Conversation;
/// # fn example() -> Result<(), backline::model::Fault> {
/// let mut talk = Conversation::new();
/// talk.system("Be brief.");
/// talk.user("Why is the sky blue?");
/// let request = talk.within(2_000)?.model("mock");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    said: Vec<Said>,
}

#[derive(Debug, Clone)]
struct Said {
    sort: Sort,
    message: Box<RawValue>,
}

/// What a message is for the trimming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// An instruction.
    Standing,
    /// The result of a tool call: goes with what is before it.
    Result,
    /// Anything else: begins anew.
    Turn,
}

#[derive(Deserialize)]
struct Role<'a> {
    #[serde(borrow)]
    role: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
struct Plain<'a> {
    role: &'a str,
    content: &'a str,
}

#[derive(Serialize)]
struct ToolSaid<'a> {
    role: &'a str,
    tool_call_id: &'a str,
    content: &'a str,
}

impl Conversation {
    /// One in which nothing was said.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an instruction.
    pub fn system(&mut self, text: impl AsRef<str>) {
        self.plain(Sort::Standing, "system", text.as_ref());
    }

    /// Adds what the user says.
    pub fn user(&mut self, text: impl AsRef<str>) {
        self.plain(Sort::Turn, "user", text.as_ref());
    }

    /// Adds the first answer of a completion, with the calls that it makes.
    pub fn answer(&mut self, completion: &ChatCompletion) {
        let Some(choice) = completion.choices.first() else { return };
        let message = to_raw_value(&choice.message).expect("a message that was read can be written");
        self.said.push(Said { sort: Sort::Turn, message });
    }

    /// Adds the result of a tool call.
    pub fn tool(&mut self, call: impl AsRef<str>, result: impl AsRef<str>) {
        let result = ToolSaid { role: "tool", tool_call_id: call.as_ref(), content: result.as_ref() };
        let message = to_raw_value(&result).expect("three texts can be written");
        self.said.push(Said { sort: Sort::Result, message });
    }

    /// Adds a message of any form.
    ///
    /// # Errors
    /// [`Code::BadRequest`]: it cannot be written as JSON, or has no `role`.
    pub fn message(&mut self, message: &impl Serialize) -> Result<(), Fault> {
        let bad = |e: serde_json::Error| Fault::new(Code::BadRequest, format!("this is no message: {e}"));
        let message = to_raw_value(message).map_err(bad)?;
        let Role { role } = serde_json::from_str(message.get()).map_err(bad)?;
        let sort = match &*role {
            "system" | "developer" => Sort::Standing,
            "tool" | "function" => Sort::Result,
            _ => Sort::Turn,
        };
        self.said.push(Said { sort, message });
        Ok(())
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.said.len()
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// The longest end of it that fits so many tokens, by an estimate of a token for each four bytes of JSON.
    ///
    /// # Errors
    /// [`Code::BadRequest`] where not even the instructions and the last turn fit.
    pub fn within(&self, tokens: usize) -> Result<ChatRequest, Fault> {
        self.within_by(tokens, |message| message.get().len().div_ceil(BYTES) + FRAME)
    }

    /// As [`Self::within`], by a count of the host's own.
    ///
    /// # Errors
    /// As [`Self::within`].
    pub fn within_by(&self, tokens: usize, count: impl Fn(&RawValue) -> usize) -> Result<ChatRequest, Fault> {
        let kept = self.kept(tokens, count)?;
        let messages = kept.into_iter().map(|at| self.said[at].message.clone());
        Ok(messages.fold(ChatRequest::new(), ChatRequest::raw_message))
    }

    /// The places of the messages that fit.
    fn kept(&self, tokens: usize, count: impl Fn(&RawValue) -> usize) -> Result<Vec<usize>, Fault> {
        let costs: Vec<_> = self.said.iter().map(|said| count(&said.message)).collect();
        let standing = |at: &usize| self.said[*at].sort == Sort::Standing;
        let cost_of = |places: &[usize]| places.iter().fold(0usize, |sum, at| sum.saturating_add(costs[*at]));
        let instructions: Vec<_> = (0..self.said.len()).filter(standing).collect();
        let mut left = tokens.checked_sub(cost_of(&instructions));
        let mut kept = VecDeque::from(instructions);
        for (nth, turn) in self.turns().into_iter().rev().enumerate() {
            let rest = left.and_then(|left| left.checked_sub(cost_of(&turn)));
            match rest {
                Some(rest) => left = Some(rest),
                None if nth == 0 => return Err(too_long(tokens)),
                None => break,
            }
            kept.extend(turn);
        }
        if left.is_none() {
            return Err(too_long(tokens));
        }
        let mut kept: Vec<_> = kept.into();
        kept.sort_unstable();
        Ok(kept)
    }

    /// What goes together: a message with the results of its calls. Instructions belong to none.
    fn turns(&self) -> Vec<Vec<usize>> {
        let mut turns: Vec<Vec<usize>> = Vec::new();
        for (at, said) in self.said.iter().enumerate() {
            match (said.sort, turns.last_mut()) {
                (Sort::Standing, _) => {}
                (Sort::Result, Some(turn)) => turn.push(at),
                _ => turns.push(vec![at]),
            }
        }
        turns
    }

    fn plain(&mut self, sort: Sort, role: &str, content: &str) {
        let message = to_raw_value(&Plain { role, content }).expect("two texts can be written");
        self.said.push(Said { sort, message });
    }
}

fn too_long(tokens: usize) -> Fault {
    Fault::new(Code::BadRequest, format!("the instructions and the last turn alone are over {tokens} tokens"))
        .with_fix("Shorten them, or raise the budget to what the model takes.")
}

#[cfg(test)]
mod tests;
