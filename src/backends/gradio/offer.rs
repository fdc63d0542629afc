//! What an app can do, with what shows it: its title, the names of its functions, an app that people know. Pure.

use crate::{
    backends::gradio::function::{Function, Functions, Input},
    discovery::fingerprint::gradio::app,
    model::{Capability, Evidence, Signature, fault::clean},
};

/// Words in an app's title or in the names of its functions, and what they are evidence of. Modest on purpose: what
/// is missing here can be configured, what is wrong here would send a job to the wrong app.
const WORDS: [(&str, Capability); 25] = [
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
    ("text2audio", Capability::AudioGenerate),
    ("text_to_audio", Capability::AudioGenerate),
    ("audioldm", Capability::AudioGenerate),
    ("text_to_speech", Capability::AudioGenerate),
    ("generate_speech", Capability::AudioGenerate),
    ("generate_audio", Capability::AudioGenerate),
    ("generate_music", Capability::AudioGenerate),
    ("voice_conversion", Capability::AudioConvert),
    ("convert_voice", Capability::AudioConvert),
    ("voice_changer", Capability::AudioConvert),
    ("rvc", Capability::AudioConvert),
    ("transcribe", Capability::AudioTranscribe),
    ("whisper", Capability::AudioTranscribe),
    ("speech_to_text", Capability::AudioTranscribe),
];
/// Functions whose inputs are told.
const SIGNATURES: usize = 500;

/// What an app's title and functions show, in the order of the capabilities. Every app has functions to call.
pub(super) fn evidence(title: Option<&str>, functions: &Functions) -> Vec<Evidence> {
    let names = functions.names();
    let bare: Vec<&str> = names.iter().map(|name| name.trim_start_matches('/')).collect();
    let known = app::known(title, &bare);
    let shown = title.map(plain).unwrap_or_default();
    let mut found = Vec::new();
    for capability in Capability::ALL {
        let words: Vec<&str> =
            WORDS.into_iter().filter(|(_, can)| *can == capability).map(|(w, _)| w).collect();
        let says = |text: &str| words.iter().any(|word| has_word(text, word));
        let mut evidence = Evidence::of(capability);
        evidence.functions =
            names.iter().filter(|name| says(&plain(name))).map(|name| clean(name, 200)).collect();
        evidence.sign = match known.filter(|app| app.can == Some(capability)) {
            Some(app) => Some(format!("it is {}", app.name)),
            None if says(&shown) => Some(format!("its title is “{}”", clean(title.unwrap_or_default(), 120))),
            None => None,
        };
        if capability == Capability::FunctionCall {
            evidence.functions.clone_from(&names);
            found.push(evidence);
        } else if !evidence.functions.is_empty() || evidence.sign.is_some() {
            found.push(evidence);
        }
    }
    found
}

/// WanGP makes films; which other things it makes its page does not tell.
pub(super) fn of_wangp(functions: &Functions) -> Vec<Evidence> {
    let film = Evidence { sign: Some("it is WanGP".to_owned()), ..Evidence::of(Capability::VideoGenerate) };
    let call = Evidence { functions: functions.names(), ..Evidence::of(Capability::FunctionCall) };
    vec![film, call]
}

/// What the functions that the app shows take.
pub(super) fn signatures(functions: &Functions) -> Vec<Signature> {
    let signature = |function: &Function| {
        let label = |input: &Input| match input {
            Input::Value(label) => Some(label.as_deref().map(|label| clean(label, 120))),
            Input::State => None,
        };
        let name = format!("/{}", clean(function.name.as_deref()?, 200));
        Some(Signature { name, inputs: function.inputs.iter().filter_map(label).collect() })
    };
    functions.all().iter().filter(|function| function.shown).filter_map(signature).take(SIGNATURES).collect()
}

fn plain(text: &str) -> String {
    text.to_ascii_lowercase().replace([' ', '-'], "_")
}

/// A short word has to stand for itself: `rvc` is no part of `service`.
fn has_word(text: &str, word: &str) -> bool {
    let whole = |part: &str| part == word;
    if word.len() > 4 {
        text.contains(word)
    } else {
        text.split(|c: char| !c.is_ascii_alphanumeric()).any(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::gradio::page::Page;

    fn can(title: &str, names: &[&str]) -> Vec<(Capability, String)> {
        let functions: Vec<_> =
            names.iter().map(|name| format!(r#"{{"api_name":"{name}","inputs":[1]}}"#)).collect();
        let page = format!(
            r#"{{"version":"5.29.0","protocol":"sse_v3","components":[{{"id":1,"props":{{"label":"Voice"}}}}],
            "dependencies":[{}]}}"#,
            functions.join(",")
        );
        let functions = Functions::of(&Page::read(page.as_bytes()).unwrap());
        let found = evidence(Some(title), &functions);
        let known = found.into_iter().filter(|e| e.capability != Capability::FunctionCall);
        known.map(|e| (e.capability, e.summary())).collect()
    }

    #[test]
    fn titles_functions_and_known_apps_show_what_an_app_can_do() {
        let one = |can: Capability, why: &str| vec![(can, why.to_owned())];
        assert_eq!(can("RVC WebUI", &[]), one(Capability::AudioConvert, "it is RVC"));
        assert_eq!(
            can("Gradio", &["infer_convert", "infer_refresh"]),
            one(Capability::AudioConvert, "it is RVC")
        );
        assert_eq!(can("Whisper", &[]), one(Capability::AudioTranscribe, "it is Whisper"));
        assert_eq!(can("faster whisper large", &[]).len(), 1);
        assert_eq!(can("AudioLDM 2", &["predict"]), one(Capability::AudioGenerate, "it is AudioLDM"));
        assert_eq!(can("A", &["txt2img"]), one(Capability::ImageGenerate, "function /txt2img"));
        assert_eq!(
            can("Text to Video", &["go"]),
            one(Capability::VideoGenerate, "its title is “Text to Video”")
        );
        assert_eq!(can("Customer service", &["predict"]), []);
    }

    #[test]
    fn a_signature_leaves_out_what_no_caller_gives() {
        let page = r#"{"version":"5.29.0","protocol":"sse_v3","components":[
            {"id":1,"type":"textbox","props":{"label":"Prompt"}},{"id":2,"type":"state"},{"id":3,"type":"slider"}],
            "dependencies":[{"api_name":"go","inputs":[1,2,3]},{"api_name":false,"inputs":[1]}]}"#;
        let functions = Functions::of(&Page::read(page.as_bytes()).unwrap());
        let inputs = vec![Some("Prompt".to_owned()), None];
        assert_eq!(signatures(&functions), [Signature { name: "/go".to_owned(), inputs }]);
    }
}
