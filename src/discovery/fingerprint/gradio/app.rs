//! Gradio apps that people know by name, where the page itself says little.

/// An app, a part of its title in small letters, and names of functions of which two prove it.
struct Known {
    name: &'static str,
    title: &'static str,
    functions: &'static [&'static str],
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
    },
    Known { name: "Applio", title: "applio", functions: &["run_infer_script", "run_batch_infer_script"] },
    Known { name: "AudioLDM", title: "audioldm", functions: &["text2audio"] },
    Known { name: "MusicGen", title: "musicgen", functions: &["predict_full", "predict_batched"] },
    Known { name: "F5-TTS", title: "f5-tts", functions: &["basic_tts", "infer_basic", "load_custom_model"] },
    Known { name: "TTS WebUI", title: "tts webui", functions: &[] },
    Known { name: "Fooocus", title: "fooocus", functions: &[] },
    Known { name: "Stable Diffusion web UI", title: "stable diffusion", functions: &["txt2img", "img2img"] },
    Known { name: "FramePack", title: "framepack", functions: &[] },
    Known { name: "Kohya", title: "kohya", functions: &[] },
    Known { name: "Text generation web UI", title: "text generation web ui", functions: &[] },
    Known {
        name: "Whisper",
        title: "whisper",
        functions: &["transcribe_file", "transcribe_mic", "transcribe_youtube"],
    },
];

/// The app's usual name, by its title or by its functions.
pub(super) fn known(title: Option<&str>, functions: &[&str]) -> Option<&'static str> {
    let title = title.unwrap_or_default().to_ascii_lowercase();
    let titled = KNOWN.iter().find(|app| title.contains(app.title));
    let shown = |app: &&Known| app.functions.iter().filter(|name| functions.contains(name)).count() >= 2;
    // A title of the app's own is better than a guess from its functions.
    let nameless = title.is_empty() || title == "gradio";
    let by_functions = || KNOWN.iter().find(shown).filter(|_| nameless);
    titled.or_else(by_functions).map(|app| app.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_known_by_its_title_or_by_two_functions() {
        assert_eq!(known(Some("RVC WebUI"), &[]), Some("RVC"));
        assert_eq!(known(Some("Gradio"), &["infer_convert", "infer_refresh"]), Some("RVC"));
        assert_eq!(known(None, &["txt2img"]), None);
        assert_eq!(known(Some("My studio"), &["txt2img", "img2img"]), None);
        assert_eq!(known(Some("AudioLDM: text to audio"), &["text2audio"]), Some("AudioLDM"));
    }
}
