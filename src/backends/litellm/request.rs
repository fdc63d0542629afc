//! What is asked of a server that chats.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    backends::litellm::{fields::Fields, offer::Mode},
    model::{Code, Fault},
};

/// A chat to be sent. Fields that it has no method for go through [`Self::set`], unchecked but for `api_base`,
/// `base_url` and `api_key`, which no request may carry.
///
/// ```
/// # use backline::backends::litellm::ChatRequest;
/// # fn example() -> Result<(), backline::model::Fault> {
/// let request = ChatRequest::new().system("Be brief.").user("Why is the sky blue?").model("mock").max_tokens(100);
/// let request = request.set("seed", &7)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ChatRequest {
    fields: Fields,
    messages: Vec<Box<RawValue>>,
}

#[derive(Serialize)]
struct Said<'a> {
    role: &'a str,
    content: &'a str,
}

impl ChatRequest {
    /// A chat without messages.
    pub fn new() -> Self {
        Self::default()
    }

    /// A chat from the body that a caller gave, for `/v1/chat/completions`.
    ///
    /// # Errors
    /// [`Code::BadRequest`]: it is no object, has no list of messages, or carries a field that no request may.
    pub fn from_json(body: &RawValue) -> Result<Self, Fault> {
        let mut fields = Fields::parse(body)?;
        let missing = || Fault::new(Code::BadRequest, "the chat has no list `messages`");
        let messages = fields.get("messages").ok_or_else(missing)?;
        let messages = serde_json::from_str(messages.get()).map_err(|_| missing())?;
        fields.remove("messages");
        Ok(Self { fields, messages })
    }

    /// Adds an instruction.
    pub fn system(self, text: impl AsRef<str>) -> Self {
        self.said("system", text.as_ref())
    }

    /// Adds what the user says.
    pub fn user(self, text: impl AsRef<str>) -> Self {
        self.said("user", text.as_ref())
    }

    /// Adds what the model said before.
    pub fn assistant(self, text: impl AsRef<str>) -> Self {
        self.said("assistant", text.as_ref())
    }

    /// Adds a message of any form (with images, with the result of a tool).
    ///
    /// # Errors
    /// [`Code::BadRequest`]: it cannot be written as JSON.
    pub fn message(mut self, message: &impl Serialize) -> Result<Self, Fault> {
        let message = to_raw_value(message)
            .map_err(|e| Fault::new(Code::BadRequest, format!("a message cannot be written as JSON: {e}")))?;
        self.messages.push(message);
        Ok(self)
    }

    /// Adds a message that is JSON already.
    pub(super) fn raw_message(mut self, message: Box<RawValue>) -> Self {
        self.messages.push(message);
        self
    }

    /// The model to ask. Without one the first chat model of the backend is asked.
    pub fn model(self, name: impl AsRef<str>) -> Self {
        self.plain("model", &name.as_ref())
    }

    /// How freely it chooses words, 0 to 2. The server's default without it.
    pub fn temperature(self, temperature: f64) -> Self {
        self.plain("temperature", &temperature)
    }

    /// The most tokens of the answer. The server's default without it.
    pub fn max_tokens(self, tokens: u32) -> Self {
        self.plain("max_tokens", &tokens)
    }

    /// Functions that the model may want called.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn tools(self, tools: &impl Serialize) -> Result<Self, Fault> {
        self.set("tools", tools)
    }

    /// The form of the answer (`{"type":"json_object"}`).
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn response_format(self, format: &impl Serialize) -> Result<Self, Fault> {
        self.set("response_format", format)
    }

    /// Any other field.
    ///
    /// # Errors
    /// [`Code::BadRequest`]: it cannot be written as JSON, or no request may carry it.
    pub fn set(mut self, name: &str, value: &impl Serialize) -> Result<Self, Fault> {
        self.fields = self.fields.with(name, value)?;
        Ok(self)
    }

    /// The model that is named, if one is.
    pub fn model_name(&self) -> Option<String> {
        self.fields.text("model")
    }

    fn said(mut self, role: &str, content: &str) -> Self {
        self.messages.push(to_raw_value(&Said { role, content }).expect("two texts can be written"));
        self
    }

    fn plain(mut self, name: &str, value: &impl Serialize) -> Self {
        self.fields = self.fields.plain(name, value);
        self
    }

    /// The body, to be answered whole.
    pub(super) fn whole(&self) -> bytes::Bytes {
        let mut fields = self.fields.clone();
        fields.remove("stream");
        fields.remove("stream_options");
        self.finish(fields)
    }

    /// The body, to be streamed; usage is asked for unless the caller said what he wants.
    pub(super) fn streamed(&self, usage: AskUsage) -> bytes::Bytes {
        let mut fields = self.fields.clone();
        fields.set("stream", &true).expect("true can be written");
        if usage == AskUsage::Yes && !fields.has("stream_options") {
            fields.set("stream_options", &Options { include_usage: true }).expect("true can be written");
        }
        self.finish(fields)
    }

    /// Whether usage would be asked for by us alone.
    pub(super) fn leaves_usage_to_us(&self) -> bool {
        !self.fields.has("stream_options")
    }

    fn finish(&self, mut fields: Fields) -> bytes::Bytes {
        fields.set("messages", &self.messages).expect("raw JSON can be written");
        fields.to_bytes()
    }
}

/// Whether a stream is asked to tell the usage at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AskUsage {
    Yes,
    No,
}

#[derive(Serialize)]
struct Options {
    include_usage: bool,
}

/// A request whose model can be filled in.
pub(super) trait Addressed: Sized {
    /// What the model has to be for.
    const MODE: Mode;

    fn fields(&self) -> &Fields;
    fn with_model(self, name: &str) -> Self;

    fn names_a_model(&self) -> bool {
        self.fields().has("model")
    }
}

impl Addressed for ChatRequest {
    const MODE: Mode = Mode::Chat;

    fn fields(&self) -> &Fields {
        &self.fields
    }

    fn with_model(self, name: &str) -> Self {
        self.model(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn text(body: &bytes::Bytes) -> &str {
        std::str::from_utf8(body).unwrap()
    }

    #[test]
    fn a_built_chat_is_what_openai_reads() {
        let request = ChatRequest::new().system("s").user("u").model("m").temperature(0.5).max_tokens(9);
        let request = request.set("seed", &7).unwrap();
        assert_eq!(
            text(&request.streamed(AskUsage::Yes)),
            r#"{"model":"m","temperature":0.5,"max_tokens":9,"seed":7,"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}]}"#
        );
        assert!(!text(&request.whole()).contains("stream"));
    }

    #[test]
    fn a_callers_body_goes_through_unread_below_its_top() {
        let body = raw(
            r#"{"messages":[{"role":"user","content":[{"type":"x","n":1.50}]}],"stream":false,"stream_options":{"include_usage":false},"odd":{"api_key":"below"}}"#,
        );
        let request = ChatRequest::from_json(&body).unwrap();
        assert_eq!(
            text(&request.streamed(AskUsage::Yes)),
            r#"{"stream":true,"stream_options":{"include_usage":false},"odd":{"api_key":"below"},"messages":[{"role":"user","content":[{"type":"x","n":1.50}]}]}"#
        );
        assert!(!request.names_a_model() && request.with_model("a").names_a_model());
    }

    #[test]
    fn what_would_leak_a_key_is_refused_before_anything_is_sent() {
        for name in FORBIDDEN_NAMES {
            let body = raw(&format!(r#"{{"messages":[],"{name}":"http://evil.example"}}"#));
            assert_eq!(ChatRequest::from_json(&body).unwrap_err().code(), Code::BadRequest, "{name}");
            assert!(ChatRequest::new().set(name, &"x").is_err(), "{name}");
        }
    }

    const FORBIDDEN_NAMES: [&str; 3] = ["api_base", "base_url", "api_key"];

    #[test]
    fn a_body_of_another_form_is_refused_with_the_reason() {
        for body in ["[]", "\"x\"", "{}", r#"{"messages":"hi"}"#] {
            let fault = ChatRequest::from_json(&raw(body)).unwrap_err();
            assert_eq!(fault.code(), Code::BadRequest, "{body}");
        }
    }
}
