//! Configurations to begin with.

/// A configuration to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preset {
    /// Its name, for `config presets use NAME`.
    pub name: &'static str,
    /// Whom it is for, one sentence.
    pub title: &'static str,
    /// The file's text, with comments.
    pub text: &'static str,
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "workstation",
        title: "One machine with one graphics card: ComfyUI, Wan2GP and LiteLLM on it.",
        text: include_str!("../../config/presets/workstation.ron"),
    },
    Preset {
        name: "two-gpus",
        title: "One machine with two graphics cards: a ComfyUI on each, in one pool.",
        text: include_str!("../../config/presets/two-gpus.ron"),
    },
    Preset {
        name: "comfyui-llm",
        title: "ComfyUI and a local language model (Ollama, llama.cpp, LM Studio) that share a card.",
        text: include_str!("../../config/presets/comfyui-llm.ron"),
    },
    Preset {
        name: "render-box",
        title: "A render box in the network behind TLS, with keys.",
        text: include_str!("../../config/presets/render-box.ron"),
    },
];

/// The presets that come with Backline.
pub fn presets() -> &'static [Preset] {
    PRESETS
}

/// The preset of this name.
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// What `config init` writes.
pub fn init_text() -> &'static str {
    PRESETS[0].text
}

/// Every field with its meaning, as an example file.
pub fn example_text() -> &'static str {
    include_str!("../../config/studio.ron")
}
