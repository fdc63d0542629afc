//! Gradio apps that people know by name, where the page itself says little.

use crate::model::Capability;

/// An app, a part of its title in small letters, names of functions of which two prove it, and what it can do, where
/// that is one of our capabilities.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    title: &'static str,
    functions: &'static [&'static str],
    pub(crate) can: Option<Capability>,
}

/// Read from the sources of these apps; none of them was run.
const KNOWN: [Known; 12] = [
    Known {
        name: "RVC",
        title: "rvc webui",
        functions: &[
            "infer_convert",
            "infer_change_voice",
            "uvr_convert",
            "infer_refresh",
            "train_start_all",
        ],
        can: Some(Capability::AudioConvert),
    },
    Known {
        name: "Applio",
        title: "applio",
        functions: &["run_infer_script", "run_batch_infer_script"],
        can: Some(Capability::AudioConvert),
    },
    Known {
        name: "AudioLDM",
        title: "audioldm",
        functions: &["text2audio"],
        can: Some(Capability::AudioGenerate),
    },
    Known {
        name: "MusicGen",
        title: "musicgen",
        functions: &["predict_full", "predict_batched"],
        can: Some(Capability::AudioGenerate),
    },
    Known {
        name: "F5-TTS",
        title: "f5-tts",
        functions: &["basic_tts", "infer_basic", "load_custom_model"],
        can: Some(Capability::AudioGenerate),
    },
    Known { name: "TTS WebUI", title: "tts webui", functions: &[], can: Some(Capability::AudioGenerate) },
    Known { name: "Fooocus", title: "fooocus", functions: &[], can: Some(Capability::ImageGenerate) },
    Known {
        name: "Stable Diffusion web UI",
        title: "stable diffusion",
        functions: &["txt2img", "img2img"],
        can: Some(Capability::ImageGenerate),
    },
    Known { name: "FramePack", title: "framepack", functions: &[], can: Some(Capability::VideoGenerate) },
    Known { name: "Kohya", title: "kohya", functions: &[], can: None },
    Known { name: "Text generation web UI", title: "text generation web ui", functions: &[], can: None },
    Known {
        name: "Whisper",
        title: "whisper",
        functions: &["transcribe_file", "transcribe_mic", "transcribe_youtube"],
        can: Some(Capability::AudioTranscribe),
    },
];

/// The app that people know, by its title or by its functions.
pub(crate) fn known(title: Option<&str>, functions: &[&str]) -> Option<&'static Known> {
    let title = title.unwrap_or_default().to_ascii_lowercase();
    let titled = KNOWN.iter().find(|app| title.contains(app.title));
    let shown = |app: &&Known| app.functions.iter().filter(|name| functions.contains(name)).count() >= 2;
    // A title of the app's own is better than a guess from its functions.
    let nameless = title.is_empty() || title == "gradio";
    let by_functions = || KNOWN.iter().find(shown).filter(|_| nameless);
    titled.or_else(by_functions)
}

#[cfg(test)]
mod tests {
    fn known(title: Option<&str>, functions: &[&str]) -> Option<&'static str> {
        super::known(title, functions).map(|app| app.name)
    }

    #[test]
    fn an_app_is_known_by_its_title_or_by_two_functions() {
        assert_eq!(known(Some("RVC WebUI"), &[]), Some("RVC"));
        assert_eq!(known(Some("Gradio"), &["infer_convert", "infer_refresh"]), Some("RVC"));
        assert_eq!(known(None, &["txt2img"]), None);
        assert_eq!(known(Some("My studio"), &["txt2img", "img2img"]), None);
        assert_eq!(known(Some("AudioLDM: text to audio"), &["text2audio"]), Some("AudioLDM"));
    }
}
