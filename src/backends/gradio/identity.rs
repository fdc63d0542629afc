//! From an app's page to what it is and what it can do. Pure.

use crate::{
    backends::gradio::{function::Functions, page::Page},
    model::{Capability, Identity, Kind},
};

/// Words in an app's title or in the names of its functions, and what they are evidence of. Modest on purpose: what
/// is missing here can be configured, what is wrong here would send a job to the wrong app.
const EVIDENCE: [(&str, Capability); 19] = [
    ("txt2img", Capability::ImageGenerate),
    ("img2img", Capability::ImageGenerate),
    ("text2image", Capability::ImageGenerate),
    ("text_to_image", Capability::ImageGenerate),
    ("generate_image", Capability::ImageGenerate),
    ("txt2vid", Capability::VideoGenerate),
    ("img2vid", Capability::VideoGenerate),
    ("text2video", Capability::VideoGenerate),
    ("text_to_video", Capability::VideoGenerate),
    ("image_to_video", Capability::VideoGenerate),
    ("generate_video", Capability::VideoGenerate),
    ("text_to_speech", Capability::AudioGenerate),
    ("generate_speech", Capability::AudioGenerate),
    ("generate_audio", Capability::AudioGenerate),
    ("generate_music", Capability::AudioGenerate),
    ("voice_conversion", Capability::AudioConvert),
    ("convert_voice", Capability::AudioConvert),
    ("transcribe", Capability::AudioTranscribe),
    ("speech_to_text", Capability::AudioTranscribe),
];

/// What an app is: the kind, and what it says of itself.
pub(super) fn of(page: &Page, functions: &Functions, boot: &str) -> (Kind, Identity) {
    let wangp = page.wangp();
    let mut capabilities = vec![Capability::FunctionCall];
    match wangp {
        Some(_) => capabilities.push(Capability::VideoGenerate),
        None => capabilities.extend(evidence(page, functions)),
    }
    capabilities.sort_unstable();
    capabilities.dedup();
    let kind = if wangp.is_some() { Kind::Wan2gp } else { Kind::Gradio };
    let version = wangp.and_then(|w| w.version).unwrap_or_else(|| page.version.clone());
    let identity = Identity {
        version: Some(version.chars().take(40).collect()),
        title: page.title.as_ref().map(|t| t.chars().take(120).collect()),
        boot: Some(boot.to_owned()),
        capabilities,
        models: Vec::new(),
        functions: functions.names(),
    };
    (kind, identity)
}

fn evidence(page: &Page, functions: &Functions) -> impl Iterator<Item = Capability> {
    let names = functions.names();
    let words =
        page.title.iter().chain(names.iter()).map(|w| w.to_ascii_lowercase().replace([' ', '-'], "_"));
    let words: Vec<String> = words.collect();
    EVIDENCE.into_iter().filter(move |(w, _)| words.iter().any(|text| text.contains(w))).map(|(_, c)| c)
}
