//! Generated images.

use crate::backends::litellm::{open::open_struct, usage::Usage};

open_struct! {
    /// The answer to an image request.
    pub struct Images {
        /// One a picture.
        data: Vec<Picture> = "data",
        /// Tokens used, where the server says.
        usage: Option<Usage> = "usage",
    }
}

open_struct! {
    /// One picture: in the answer itself, or where it can be had.
    pub struct Picture {
        /// Its bytes in base64.
        b64_json: Option<String> = "b64_json",
        /// Where it can be had; at OpenAI for an hour.
        url: Option<String> = "url",
        /// The prompt that the model made of ours.
        revised_prompt: Option<String> = "revised_prompt",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_picture_are_read_and_nothing_is_lost() {
        let text = r#"{"data":[{"b64_json":"AA==","revised_prompt":"a dot"},{"url":"https://h.example/a.png"}],"usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7},"created":1,"quality":"hd"}"#;
        let images: Images = serde_json::from_str(text).unwrap();
        assert_eq!(images.data[0].b64_json.as_deref(), Some("AA=="));
        assert_eq!(images.data[1].url.as_deref(), Some("https://h.example/a.png"));
        assert_eq!(images.usage.as_ref().unwrap().answered(), 4);
        let again: serde_json::Value =
            serde_json::from_str(&serde_json::to_string(&images).unwrap()).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(text).unwrap());
    }
}
