//! What a ComfyUI can run: its classes of nodes, and the model files that their inputs offer. From `/object_info`.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap, HashSet},
};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::model::{Code, Fault};

/// Ends of the names of model files: those that ComfyUI lists (`supported_pt_extensions`, 0.3.64 and 0.24.0), and two
/// of common custom nodes.
const MODEL_ENDS: [&str; 10] =
    [".ckpt", ".pt", ".pt2", ".bin", ".pth", ".safetensors", ".pkl", ".sft", ".gguf", ".onnx"];

/// The classes of nodes of one server, and the model files that their inputs offer. It is a copy: a server that
/// restarts with another custom node, or gets a file, has another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    classes: HashMap<Box<str>, Class>,
}

/// A class of nodes, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Class {
    /// The inputs that offer choices, each with the model files among them.
    pub(super) offers: HashMap<Box<str>, HashSet<Box<str>>>,
    /// The types of its other inputs (`MODEL`, `LATENT`, `INT`).
    pub(super) takes: HashSet<Box<str>>,
    /// The types of its outputs.
    pub(super) gives: HashSet<Box<str>>,
    pub(super) role: Role,
}

/// Whether a class is a reason to run a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Role {
    Output,
    #[default]
    Inner,
}

impl Catalogue {
    /// Reads the answer to `/object_info`. A class or an input of a form that nobody knows offers nothing and hides
    /// no other: custom nodes write what they like.
    ///
    /// # Errors
    /// [`Code::Protocol`] where it is no object of classes.
    pub fn parse(json: &[u8]) -> Result<Self, Fault> {
        let classes: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_slice(json)
            .map_err(|e| Fault::new(Code::Protocol, format!("/object_info is no object of classes: {e}")))?;
        let class = |(name, raw): (Cow<'_, str>, &RawValue)| (name.as_ref().into(), Class::read(raw));
        Ok(Self { classes: classes.into_iter().map(class).collect() })
    }

    /// Whether the server has a class.
    pub fn has(&self, class: &str) -> bool {
        self.classes.contains_key(class)
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Every model file that some input offers, sorted, each once. A file in a folder of models is named with it, as
    /// the server does: `sub/file.safetensors`, on Windows with a backslash.
    pub fn models(&self) -> BTreeSet<&str> {
        self.classes.values().flat_map(|class| class.offers.values()).flatten().map(AsRef::as_ref).collect()
    }

    /// The model files that an input offers; `None` where it offers no choice at all.
    pub(super) fn offer(&self, class: &str, input: &str) -> Option<&HashSet<Box<str>>> {
        self.classes.get(class)?.offers.get(input)
    }

    /// The classes by name.
    pub(super) fn classes(&self) -> impl Iterator<Item = (&str, &Class)> {
        self.classes.iter().map(|(name, class)| (name.as_ref(), class))
    }

    /// Takes in the classes of another answer of the same server.
    pub(super) fn extend(&mut self, other: Self) {
        self.classes.extend(other.classes);
    }
}

/// Whether a value of an input names a model file.
pub(super) fn is_model(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    MODEL_ENDS.iter().any(|end| name.len() > end.len() && name.ends_with(end))
}

#[derive(Deserialize)]
struct Description<'a> {
    #[serde(borrow, default)]
    input: HashMap<Cow<'a, str>, &'a RawValue>,
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output_node: Option<&'a RawValue>,
}

impl Class {
    fn read(raw: &RawValue) -> Self {
        let mut class = Self::default();
        let Ok(description) = serde_json::from_str::<Description<'_>>(raw.get()) else { return class };
        let sections = ["required", "optional"].iter().filter_map(|name| description.input.get(*name));
        let named = sections
            .filter_map(|raw| serde_json::from_str::<HashMap<Cow<'_, str>, &RawValue>>(raw.get()).ok());
        for (name, raw) in named.flatten() {
            match serde_json::from_str::<Input>(raw.get()) {
                Ok(Input::Choice(files)) => drop(class.offers.insert(name.as_ref().into(), files)),
                Ok(Input::Typed(kind)) => drop(class.takes.insert(kind)),
                Ok(Input::Strange) | Err(_) => {}
            }
        }
        let outputs =
            description.output.and_then(|raw| serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok());
        class.gives.extend(outputs.into_iter().flatten().filter_map(word));
        if description.output_node.is_some_and(|raw| raw.get() == "true") {
            class.role = Role::Output;
        }
        class
    }
}

/// A text, where one stands.
fn word(raw: &RawValue) -> Option<Box<str>> {
    serde_json::from_str::<Cow<'_, str>>(raw.get()).ok().map(|text| text.as_ref().into())
}

/// An input: `["INT", {…}]`, a list of choices `[["a", "b"], {…}]`, or, in nodes of the newer schema (0.24.0),
/// `["COMBO", {"options": ["a", "b"]}]`.
enum Input {
    /// The model files among its choices.
    Choice(HashSet<Box<str>>),
    Typed(Box<str>),
    Strange,
}

/// The model files of a list of anything.
#[derive(Default)]
struct Choices(HashSet<Box<str>>);

/// What stands first in an input.
enum First {
    Choices(Choices),
    /// The choices are among the options.
    Combo,
    /// Another type. `COMFY_DYNAMICCOMBO_V3` (0.24.0) has options too, but each is a set of inputs with a key.
    Other(Option<Box<str>>),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rest {
    options: Option<Choices>,
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;
        impl<'de> Visitor<'de> for Parts {
            type Value = Input;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an input of a node")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Input, A::Error> {
                let first = parts.next_element::<First>()?;
                let rest = parts.next_element::<Rest>()?.and_then(|rest| rest.options);
                while parts.next_element::<IgnoredAny>()?.is_some() {}
                Ok(match (first, rest) {
                    (Some(First::Choices(choices)), _) | (Some(First::Combo), Some(choices)) => {
                        Input::Choice(choices.0)
                    }
                    (Some(First::Other(Some(kind))), _) => Input::Typed(kind),
                    _ => Input::Strange,
                })
            }
        }
        deserializer.deserialize_seq(Parts)
    }
}

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(match serde_json::from_str::<Choices>(raw.get()) {
            Ok(choices) => Self::Choices(choices),
            Err(_) if raw.get() == r#""COMBO""# => Self::Combo,
            Err(_) => Self::Other(word(raw)),
        })
    }
}

impl<'de> Deserialize<'de> for Choices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::<&RawValue>::deserialize(deserializer)?;
        let text = |raw: &RawValue| serde_json::from_str::<Cow<'_, str>>(raw.get()).ok().map(Cow::into_owned);
        let names = items.into_iter().filter_map(text).filter(|name| is_model(name)).map(Into::into);
        Ok(Self(names.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_an_input_is_read_and_a_strange_one_hides_no_other() {
        let json = r#"{
            "Old": { "input": { "required": {
                "ckpt_name": [["a.safetensors", "sub/b.CKPT", "none", 3, null], { "tooltip": "x" }],
                "steps": ["INT", { "default": 20 }], "link": ["MODEL"], "odd": "STRING", "odder": {}, "nothing": []
            }, "hidden": { "prompt": "PROMPT" } }, "output": ["MODEL"] },
            "New": { "input": { "optional": {
                "vae": ["COMBO", { "options": ["v.pt"], "multiselect": false }], "empty": [[]], "far": ["COMBO", { "remote": {} }],
                "deep": ["COMFY_DYNAMICCOMBO_V3", { "options": [{ "key": "a.pt", "inputs": { "required": {} } }] }]
            } } },
            "Bare": {}, "Null": null, "Flat": { "input": { "required": [] } }
        }"#;
        let catalogue = Catalogue::parse(json.as_bytes()).unwrap();
        assert_eq!(catalogue.len(), 5);
        assert!(["Old", "New", "Bare", "Null", "Flat"].iter().all(|class| catalogue.has(class)));
        assert_eq!(
            catalogue.models().into_iter().collect::<Vec<_>>(),
            ["a.safetensors", "sub/b.CKPT", "v.pt"]
        );
        assert_eq!(catalogue.offer("New", "empty"), Some(&HashSet::new()), "a choice of nothing is one");
        for (class, input) in [
            ("Old", "steps"),
            ("Old", "link"),
            ("Old", "odd"),
            ("Old", "nothing"),
            ("New", "far"),
            ("New", "deep"),
            ("No", "x"),
        ] {
            assert_eq!(catalogue.offer(class, input), None, "{class}.{input}");
        }
        for none in ["[]", "", "<html>", "{"] {
            assert_eq!(Catalogue::parse(none.as_bytes()).unwrap_err().code(), Code::Protocol, "{none}");
        }
    }

    #[test]
    fn the_answer_of_a_real_server_is_read() {
        let json = crate::backends::comfyui::recordings::file("0.24.0", "object_info.json");
        let catalogue = Catalogue::parse(json.as_bytes()).unwrap();
        assert!(catalogue.has("SaveImage") && catalogue.has("LoadImageOutput"));
        let offered = |class: &str, input: &str| {
            catalogue.offer(class, input).map(|files| files.iter().map(AsRef::as_ref).collect::<Vec<&str>>())
        };
        assert_eq!(offered("CheckpointLoaderSimple", "ckpt_name").unwrap(), ["sd.safetensors"]);
        assert_eq!(offered("LoraLoader", "lora_name").unwrap(), ["sub/l.safetensors"]);
        assert_eq!(offered("ImageScaleBy", "upscale_method").unwrap(), [""; 0], "no model among the choices");
        assert_eq!(offered("LoraLoader", "strength_model"), None);
        assert_eq!(offered("LoadImageOutput", "image"), None, "its choices are asked for apart");
    }

    #[test]
    fn a_model_file_is_told_by_its_end() {
        assert!(["a.safetensors", "b/c.GGUF", "d.pt"].iter().all(|name| is_model(name)));
        assert!(!["euler", "picture.png", ".pt", "a.pt.txt", ""].iter().any(|name| is_model(name)));
    }
}
