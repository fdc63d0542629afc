//! The models of the simulated server: those of the project's stub of the real one.

use serde_json::{Value, json};

/// A model: its type, name, family, what it makes and what it takes.
pub(super) struct Model {
    pub(super) kind: &'static str,
    name: &'static str,
    family: &'static str,
    pub(super) output: &'static str,
    inputs: &'static [&'static str],
}

pub(super) const MODELS: [Model; 4] = [
    Model { kind: "t2v", name: "Wan2.1 Text2video 14B", family: "wan", output: "video", inputs: &["text"] },
    Model {
        kind: "i2v",
        name: "Wan2.1 Image2video 14B",
        family: "wan",
        output: "video",
        inputs: &["text", "image"],
    },
    Model { kind: "flux", name: "Flux 1 Dev 12B", family: "flux", output: "image", inputs: &["text"] },
    Model { kind: "ace_step", name: "ACE-Step 1.5", family: "tts", output: "audio", inputs: &["text"] },
];

/// The model of this type.
pub(super) fn find(kind: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.kind == kind)
}

impl Model {
    /// What a list shows of it.
    pub(super) fn metadata(&self) -> Value {
        json!({
            "model_type": self.kind, "family": self.family, "family_label": self.family,
            "base_model_type": self.kind, "finetune": false, "inputs": self.inputs, "outputs": [self.output],
            "main_output": [self.output], "name": self.name,
        })
    }

    /// What its schema says.
    pub(super) fn schema(&self) -> Value {
        let mut metadata = self.metadata();
        let more = json!({
            "description": self.name, "fps": null, "frames_minimum": null, "frames_steps": null, "infos": "",
            "prompt_infos": "", "sliding_window": false,
        });
        if let (Some(all), Value::Object(more)) = (metadata.as_object_mut(), more) {
            all.extend(more);
        }
        json!({ "metadata": metadata })
    }
}
