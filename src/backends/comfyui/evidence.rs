//! From classes of nodes and model files to what a server can make. Pure.
//!
//! A server makes a picture of nothing where it has a class that loads a model and at least one file for it, a sampler
//! to run it, and an output that takes the result. Types tell the classes apart, so that custom loaders and samplers
//! count as the stock ones do. What a model makes only its file's name tells.

use std::collections::BTreeSet;

use crate::{
    backends::comfyui::catalogue::{Catalogue, Class, Role},
    model::{Capability, Evidence, fault::clean},
};

/// Classes that are named as evidence, of each sort.
const NODES: usize = 8;
/// Models that are named.
const MODELS: usize = 1_000;

/// Words in the names of models that make films, and of those that make sound; all others make pictures.
const FILM: [&str; 14] = [
    "wan2",
    "wan_",
    "wan-",
    "hunyuanvideo",
    "hunyuan_video",
    "hunyuan-video",
    "ltx",
    "mochi",
    "cosmos",
    "svd",
    "cogvideo",
    "t2v",
    "i2v",
    "animatediff",
];
const SOUND: [&str; 7] =
    ["stable_audio", "stable-audio", "ace_step", "ace-step", "acestep", "audioldm", "musicgen"];

/// What a model makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Makes {
    Pictures,
    Films,
    Sound,
}

/// What the classes show, in the order of the capabilities.
pub(super) fn of(catalogue: &Catalogue) -> Vec<Evidence> {
    let samplers = named(catalogue, is_sampler);
    let made = [
        (Capability::ImageGenerate, Makes::Pictures, "IMAGE"),
        (Capability::VideoGenerate, Makes::Films, "VIDEO"),
        (Capability::AudioGenerate, Makes::Sound, "AUDIO"),
    ];
    let made = made.into_iter().filter_map(|(capability, makes, kind)| {
        let outputs = named(catalogue, |name, class| is_output(name, class, kind));
        let (loaders, models) = loaded(catalogue, makes);
        if samplers.is_empty() || outputs.is_empty() || models.is_empty() {
            return None;
        }
        let nodes = [&loaders, &samplers, &outputs].into_iter().flat_map(|names| names.iter().take(NODES));
        let nodes = nodes.map(|name| clean(name, 200)).collect();
        let models = models.into_iter().take(MODELS).map(|name| clean(name, 200)).collect();
        Some(Evidence { nodes, models, ..Evidence::of(capability) })
    });
    let heard = [
        (Capability::AudioConvert, &["rvc", "voiceconver", "voice_conver", "seedvc"][..], "AUDIO"),
        (Capability::AudioTranscribe, &["whisper", "transcri", "speechtotext"][..], "STRING"),
    ];
    let heard = heard.into_iter().filter_map(|(capability, words, gives)| {
        let nodes = named(catalogue, |name, class| {
            let name = name.to_ascii_lowercase();
            class.takes.contains("AUDIO")
                && class.gives.contains(gives)
                && words.iter().any(|word| name.contains(word))
        });
        let nodes: Vec<_> = nodes.into_iter().take(NODES).map(|name| clean(name, 200)).collect();
        (!nodes.is_empty()).then(|| Evidence { nodes, ..Evidence::of(capability) })
    });
    made.chain(heard).collect()
}

/// It makes a latent with a model, or with a guider that has one (`SamplerCustomAdvanced`).
fn is_sampler(_: &str, class: &Class) -> bool {
    class.gives.contains("LATENT") && (class.takes.contains("MODEL") || class.takes.contains("GUIDER"))
}

/// It is where a workflow ends, and takes this. Some savers of films take pictures.
fn is_output(name: &str, class: &Class, kind: &str) -> bool {
    let film = ["video", "webm", "animated"].iter().any(|word| name.to_ascii_lowercase().contains(word));
    let takes = match kind {
        "VIDEO" => class.takes.contains("VIDEO") || (film && class.takes.contains("IMAGE")),
        "IMAGE" => !film && class.takes.contains("IMAGE"),
        kind => class.takes.contains(kind),
    };
    class.role == Role::Output && takes
}

/// The classes that give a model without being given one, with the files that they offer for this.
fn loaded(catalogue: &Catalogue, makes: Makes) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let (mut loaders, mut models) = (BTreeSet::new(), BTreeSet::new());
    for (name, class) in catalogue.classes() {
        if !class.gives.contains("MODEL") || class.takes.contains("MODEL") {
            continue;
        }
        let files = class.offers.values().flatten().map(AsRef::as_ref);
        let fit: Vec<&str> = files.filter(|file| makes_of(file) == makes).collect();
        if !fit.is_empty() {
            loaders.insert(name);
            models.extend(fit);
        }
    }
    (loaders, models)
}

fn makes_of(file: &str) -> Makes {
    let file = file.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| file.contains(word));
    match (has(&SOUND), has(&FILM)) {
        (true, _) => Makes::Sound,
        (false, true) => Makes::Films,
        (false, false) => Makes::Pictures,
    }
}

fn named(catalogue: &Catalogue, fits: impl Fn(&str, &Class) -> bool) -> BTreeSet<&str> {
    catalogue.classes().filter(|(name, class)| fits(name, class)).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(checkpoints: &str, more: &str) -> Catalogue {
        let json = format!(
            r#"{{
            "CheckpointLoaderSimple": {{"input": {{"required": {{"ckpt_name": [{checkpoints}]}}}}, "output": ["MODEL", "CLIP", "VAE"]}},
            "LoraLoader": {{"input": {{"required": {{"model": ["MODEL"], "lora_name": [["l.safetensors"]]}}}}, "output": ["MODEL"]}},
            "KSampler": {{"input": {{"required": {{"model": ["MODEL", {{}}], "latent_image": ["LATENT"]}}}}, "output": ["LATENT"]}},
            "SaveImage": {{"input": {{"required": {{"images": ["IMAGE", {{}}]}}}}, "output": [], "output_node": true}},
            "SaveVideo": {{"input": {{"required": {{"video": ["VIDEO", {{}}]}}}}, "output": [], "output_node": true}},
            "SaveAudio": {{"input": {{"required": {{"audio": ["AUDIO"]}}}}, "output": [], "output_node": true}}{more} }}"#
        );
        Catalogue::parse(json.as_bytes()).unwrap()
    }

    fn can(catalogue: &Catalogue) -> Vec<Capability> {
        of(catalogue).into_iter().map(|evidence| evidence.capability).collect()
    }

    #[test]
    fn nodes_alone_make_nothing_and_a_model_of_the_right_sort_does() {
        assert_eq!(can(&catalogue("[]", "")), [], "a lora is no model to begin with");
        let evidence = of(&catalogue(r#"["sd.safetensors", "sub/xl.ckpt"]"#, ""));
        assert_eq!(evidence.len(), 1);
        assert_eq!(evidence[0].capability, Capability::ImageGenerate);
        assert_eq!(evidence[0].nodes, ["CheckpointLoaderSimple", "KSampler", "SaveImage"]);
        assert_eq!(evidence[0].models, ["sd.safetensors", "sub/xl.ckpt"]);
        let film = can(&catalogue(r#"["Wan2.1-T2V-1.3B.safetensors"]"#, ""));
        assert_eq!(film, [Capability::VideoGenerate]);
        let all = r#"["sd.safetensors", "ltx-2b.safetensors", "ace_step_v1.safetensors"]"#;
        let three = [Capability::ImageGenerate, Capability::VideoGenerate, Capability::AudioGenerate];
        assert_eq!(can(&catalogue(all, "")), three);
    }

    #[test]
    fn custom_classes_are_told_by_their_types() {
        let more = r#",
            "UnetLoaderGGUF": {"input": {"required": {"unet_name": [["flux.gguf"]]}}, "output": ["MODEL"]},
            "Apply Whisper": {"input": {"required": {"audio": ["AUDIO"]}}, "output": ["STRING"]},
            "RVC Convert": {"input": {"optional": {"audio": ["AUDIO"]}}, "output": ["AUDIO"]},
            "Whisper Loader": {"input": {"required": {}}, "output": ["WHISPER"]}"#;
        let evidence = of(&catalogue("[]", more));
        let can: Vec<_> = evidence.iter().map(|evidence| evidence.capability).collect();
        assert_eq!(can, [Capability::ImageGenerate, Capability::AudioConvert, Capability::AudioTranscribe]);
        assert_eq!(evidence[0].models, ["flux.gguf"]);
        assert_eq!(evidence[2].nodes, ["Apply Whisper"]);
    }

    #[test]
    fn the_classes_of_a_real_server_show_what_it_can_make() {
        let json = crate::backends::comfyui::recordings::file("0.24.0", "object_info.json");
        let catalogue = Catalogue::parse(json.as_bytes()).unwrap();
        // The recording leaves the samplers out: without one nothing is made.
        assert_eq!(can(&catalogue), []);
        let (loaders, models) = loaded(&catalogue, Makes::Pictures);
        assert_eq!(loaders.into_iter().collect::<Vec<_>>(), ["CheckpointLoaderSimple"]);
        assert_eq!(models.into_iter().collect::<Vec<_>>(), ["sd.safetensors"]);
    }
}
