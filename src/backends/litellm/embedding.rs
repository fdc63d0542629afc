//! Embeddings.

use serde::Deserialize;
use std::fmt;

use crate::backends::litellm::{
    open::{Present, open_struct},
    usage::Usage,
};

open_struct! {
    /// The answer to an embedding request.
    pub struct Embeddings {
        /// `list`.
        object: String = "object",
        /// The model that answered.
        model: String = "model",
        /// One vector an input.
        data: Vec<Embedding> = "data",
        /// Tokens used, where the server says.
        usage: Option<Usage> = "usage",
    }
}

open_struct! {
    /// The vector of one input.
    pub struct Embedding {
        /// Which input.
        index: u32 = "index",
        /// The vector.
        embedding: Vector = "embedding",
    }
}

/// A vector, in the encoding that was asked for.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Vector {
    /// Numbers, the default.
    Floats(Vec<f32>),
    /// Little-endian floats in base64, asked for with `encoding_format`.
    Base64(String),
}

impl Default for Vector {
    fn default() -> Self {
        Self::Floats(Vec::new())
    }
}

impl Present for Vector {
    fn is_present(&self) -> bool {
        true
    }
}

impl<'de> Deserialize<'de> for Vector {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Vector;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of numbers or a text in base64")
            }

            fn visit_str<E>(self, text: &str) -> Result<Vector, E> {
                Ok(Vector::Base64(text.to_owned()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut numbers: A) -> Result<Vector, A::Error> {
                let mut floats = Vec::with_capacity(numbers.size_hint().unwrap_or(0).min(4096));
                while let Some(number) = numbers.next_element()? {
                    floats.push(number);
                }
                Ok(Vector::Floats(floats))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_litellm_sends_in_both_encodings() {
        let text = r#"{"model":"embed","data":[{"embedding":[0.1,2,-3e-1],"index":0,"object":"embedding"},{"embedding":"zczMPQ==","index":1}],"object":"list","usage":{"completion_tokens":0,"prompt_tokens":3,"total_tokens":3,"prompt_tokens_details":null}}"#;
        let answer: Embeddings = serde_json::from_str(text).unwrap();
        assert_eq!(answer.data[0].embedding, Vector::Floats(vec![0.1, 2.0, -0.3]));
        assert_eq!(answer.data[1].embedding, Vector::Base64("zczMPQ==".to_owned()));
        assert_eq!(answer.usage.unwrap().total_tokens, Some(3));
    }
}
