//! What a server offers: its models, what each is for, and what that lets the backend do. Pure.

use serde::{Deserialize, Serialize};

use crate::model::{Capability, Code, Evidence, Fault, fault::clean};

/// A model that a server offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Model {
    /// The name under which it is asked for.
    pub id: String,
    /// What it is for: LiteLLM's `mode` where that is known, else told by its name, else a chat.
    pub mode: Mode,
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub enum Mode {
    Chat,
    Embed,
    Image,
    Video,
    Speech,
    Transcribe,
    Other,
}

/// The models of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Offer {
    pub(super) models: Vec<Model>,
}

/// `/v1/models`.
#[derive(Debug, Deserialize)]
pub(crate) struct Listing {
    #[serde(default)]
    object: Option<String>,
    /// `null` is Ollama's word for none (as reported by its users, not run).
    #[serde(deserialize_with = "maybe_none")]
    data: Vec<Listed>,
}

fn maybe_none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Listed>, D::Error> {
    Option::<Vec<Listed>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[derive(Debug, Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    owned_by: Option<String>,
}

/// LiteLLM's `/model/info`.
#[derive(Debug, Deserialize)]
pub(super) struct Details {
    data: Vec<Detail>,
}

#[derive(Debug, Deserialize)]
struct Detail {
    model_name: String,
    #[serde(default)]
    model_info: About,
}

#[derive(Debug, Deserialize, Default)]
struct About {
    #[serde(default)]
    mode: Option<String>,
}

impl Listing {
    /// Reads a list of models.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Fault> {
        let wrong =
            |why: String| Fault::new(Code::Protocol, format!("/v1/models is no list of models: {why}"));
        let listing: Self = serde_json::from_slice(body).map_err(|e| wrong(e.to_string()))?;
        match listing.object.as_deref() {
            Some("list") => Ok(listing),
            // Some servers leave the word out; an empty list without it could be anything.
            None if !listing.data.is_empty() => Ok(listing),
            other => Err(wrong(format!("its object is {other:?}"))),
        }
    }

    /// The models' names, in the server's order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.data.iter().map(|model| model.id.as_str())
    }

    /// Who owns the first model: some servers put their own name there.
    pub(super) fn owner(&self) -> Option<&str> {
        self.data.first().and_then(|m| m.owned_by.as_deref())
    }
}

impl Offer {
    /// The models of a list, with LiteLLM's details where there are any.
    pub(super) fn new(listing: &Listing, details: Option<&Details>) -> Self {
        let known = |id: &str| {
            let detail = details?.data.iter().find(|d| d.model_name == id)?;
            detail.model_info.mode.as_deref().map(Mode::of_litellm)
        };
        let model = |listed: &Listed| Model {
            mode: known(&listed.id).unwrap_or_else(|| Mode::of_name(&listed.id)),
            id: listed.id.clone(),
        };
        Self { models: listing.data.iter().map(model).collect() }
    }

    /// The models of a newer list: what was known of a model before still holds.
    pub(super) fn renewed(&self, listing: &Listing) -> Self {
        let mut newer = Self::new(listing, None);
        for model in &mut newer.models {
            if let Some(known) = self.models.iter().find(|m| m.id == model.id) {
                model.mode = known.mode;
            }
        }
        newer
    }

    /// The first model for this.
    pub(super) fn first(&self, mode: Mode) -> Option<&Model> {
        self.models.iter().find(|m| m.mode == mode)
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.models.iter().map(|m| m.id.clone()).collect()
    }

    /// What the backend can do, each with the models for it.
    pub(super) fn evidence(&self) -> Vec<Evidence> {
        let pairs = [
            (Mode::Chat, Capability::TextChat),
            (Mode::Embed, Capability::TextEmbed),
            (Mode::Image, Capability::ImageGenerate),
            (Mode::Video, Capability::VideoGenerate),
            (Mode::Speech, Capability::AudioGenerate),
            (Mode::Transcribe, Capability::AudioTranscribe),
        ];
        let evidence = |(mode, can): (Mode, Capability)| {
            let models: Vec<_> =
                self.models.iter().filter(|m| m.mode == mode).map(|m| clean(&m.id, 200)).collect();
            (!models.is_empty()).then(|| Evidence { models, ..Evidence::of(can) })
        };
        pairs.into_iter().filter_map(evidence).collect()
    }
}

impl Mode {
    /// What LiteLLM's `mode` means.
    fn of_litellm(mode: &str) -> Self {
        match mode {
            "chat" | "completion" | "responses" => Self::Chat,
            "embedding" => Self::Embed,
            "image_generation" => Self::Image,
            "video_generation" => Self::Video,
            "audio_speech" => Self::Speech,
            "audio_transcription" => Self::Transcribe,
            _ => Self::Other,
        }
    }

    /// What a name tells. A name that tells nothing is a chat model: they are by far the most.
    fn of_name(id: &str) -> Self {
        let id = id.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|w| id.contains(w));
        if has(&["embed", "bge-", "e5-", "gte-", "minilm"]) {
            Self::Embed
        } else if has(&["whisper", "transcribe", "parakeet"]) {
            Self::Transcribe
        } else if has(&["tts-", "-tts", "kokoro"]) {
            Self::Speech
        } else if has(&["dall-e", "gpt-image", "stable-diffusion", "sdxl", "flux", "imagen-"]) {
            Self::Image
        } else if has(&["sora-", "veo-", "wan2.", "t2v", "i2v"]) {
            Self::Video
        } else if has(&["rerank", "moderation"]) {
            Self::Other
        } else {
            Self::Chat
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn can(offer: &Offer) -> Vec<Capability> {
        offer.evidence().into_iter().map(|evidence| evidence.capability).collect()
    }

    fn offer(ids: &[&str], details: Option<&str>) -> Offer {
        let data: Vec<_> = ids.iter().map(|id| format!(r#"{{"id":"{id}","owned_by":"openai"}}"#)).collect();
        let listing = format!(r#"{{"object":"list","data":[{}]}}"#, data.join(","));
        let details: Option<Details> = details.map(|d| serde_json::from_str(d).unwrap());
        Offer::new(&Listing::parse(listing.as_bytes()).unwrap(), details.as_ref())
    }

    #[test]
    fn the_mode_goes_before_the_name_and_the_name_before_the_guess() {
        let details = r#"{"data":[
            {"model_name":"a","model_info":{"mode":"embedding","x":1},"litellm_params":{}},
            {"model_name":"pictures","model_info":{"mode":"image_generation"}},
            {"model_name":"embedder","model_info":{"mode":"chat"}},
            {"model_name":"text-embed","model_info":{"mode":null}},
            {"model_name":"bare"}]}"#;
        let offer = offer(&["a", "pictures", "embedder", "text-embed", "bare", "unlisted"], Some(details));
        let modes: Vec<_> = offer.models.iter().map(|m| m.mode).collect();
        assert_eq!(modes, [Mode::Embed, Mode::Image, Mode::Chat, Mode::Embed, Mode::Chat, Mode::Chat]);
        assert_eq!(offer.first(Mode::Chat).unwrap().id, "embedder");
        assert_eq!(can(&offer), [Capability::TextChat, Capability::TextEmbed, Capability::ImageGenerate]);
    }

    #[test]
    fn a_server_that_only_embeds_does_not_claim_to_chat() {
        assert_eq!(can(&offer(&["nomic-embed-text"], None)), [Capability::TextEmbed]);
        assert_eq!(can(&offer(&[], None)), []);
        assert_eq!(can(&offer(&["whisper-1", "tts-1", "dall-e-3", "omni-moderation"], None)).len(), 3);
    }

    #[test]
    fn only_a_list_of_models_is_one() {
        for no in [
            "{}",
            "[]",
            "\"x\"",
            r#"{"data":[]}"#,
            r#"{"object":"x","data":[{"id":"a"}]}"#,
            r#"{"object":"list"}"#,
        ] {
            assert_eq!(Listing::parse(no.as_bytes()).unwrap_err().code(), Code::Protocol, "{no}");
        }
        assert!(Listing::parse(br#"{"data":[{"id":"a"}]}"#).is_ok());
        assert!(Listing::parse(br#"{"object":"list","data":[]}"#).is_ok());
        assert_eq!(Listing::parse(br#"{"object":"list","data":null}"#).unwrap().names().count(), 0);
    }
}
