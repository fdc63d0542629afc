//! What the simulated proxy says, as LiteLLM 1.106.2 says it.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    net::body::hex,
    sim::litellm::{head::VERSION, models::MODELS},
};

/// What `mock` answers.
pub(super) const MOCK: &str =
    "Hello from the mock model, this is a longer answer so that it streams in several chunks.";

#[derive(Serialize)]
struct Envelope<'a> {
    error: Complaint<'a>,
}

#[derive(Serialize)]
struct Complaint<'a> {
    message: &'a str,
    r#type: Option<&'a str>,
    param: Option<&'a str>,
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_specific_fields: Option<Specific<'a>>,
}

#[derive(Serialize)]
struct Specific<'a> {
    error: &'a str,
}

/// An error body.
pub(super) fn error(status: u16, kind: &str, param: Option<&str>, message: &str) -> String {
    let specific = message.contains("Invalid model name").then_some(Specific { error: message });
    json(&Envelope {
        error: Complaint {
            message,
            r#type: Some(kind),
            param,
            code: status.to_string(),
            provider_specific_fields: specific,
        },
    })
}

/// An error body of the routes for pictures and sound, which say nothing twice.
pub(super) fn plain_error(status: u16, kind: &str, param: Option<&str>, message: &str) -> String {
    let (code, provider_specific_fields) = (status.to_string(), None);
    json(&Envelope {
        error: Complaint { message, r#type: Some(kind), param, code, provider_specific_fields },
    })
}

/// The advice under an error of a model.
pub(super) fn of_group(message: &str, model: &str) -> String {
    format!(
        "{message}\n\nLiteLLM: model group '{model}' failed with the error above. No fallback was attempted."
    )
}

/// An error in the middle of a stream. Its writer puts blanks where the others put none.
pub(super) fn in_stream(message: &str) -> String {
    let message = format!("litellm.APIConnectionError: APIConnectionError: OpenAIException - {message}");
    let message = json(&message);
    format!(r#"{{"error": {{"message": {message}, "type": null, "param": null, "code": "500"}}}}"#)
}

/// The list of models.
pub(super) fn models() -> String {
    let one = |(name, _): &(&str, _)| {
        // What its price list knows of a model's mode stands with it where the mode is not a chat's or a picture's.
        let mode = if *name == "whisper-1" { r#","mode":"audio_transcription""# } else { "" };
        format!(r#"{{"id":"{name}","object":"model","created":1677610602,"owned_by":"openai"{mode}}}"#)
    };
    let data: Vec<_> = MODELS.iter().map(one).collect();
    format!(r#"{{"data":[{}],"object":"list"}}"#, data.join(","))
}

/// The details of the models, as far as anybody reads them.
pub(super) fn details() -> String {
    let one = |(name, _): &(&str, _)| {
        let id = model_id(name);
        // LiteLLM knows a few models by name; of the others it does not know what they are for.
        let mode = if *name == "whisper-1" { "\"audio_transcription\"" } else { "null" };
        format!(
            r#"{{"model_name":"{name}","litellm_params":{{"model":"openai/{name}"}},"model_info":{{"id":"{id}","db_model":false,"key":"openai/{name}","mode":{mode}}}}}"#
        )
    };
    let data: Vec<_> = MODELS.iter().map(one).collect();
    format!(r#"{{"data":[{}]}}"#, data.join(","))
}

/// Its state, for who has the key.
pub(super) fn readiness() -> String {
    format!(
        r#"{{"status":"healthy","db":"Not connected","cache":null,"litellm_version":"{VERSION}","success_callbacks":[],"use_aiohttp_transport":true,"log_level":"WARNING","is_detailed_debug":false}}"#
    )
}

/// The id of a deployment: a hash.
pub(super) fn model_id(model: &str) -> String {
    hex(&Sha256::digest(model))
}

/// JSON of what can always be written.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers can be written")
}
