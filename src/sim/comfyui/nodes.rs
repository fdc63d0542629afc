//! The node classes that a simulated ComfyUI knows: a few stock ones, and two that wait, show previews, fail and
//! send text on demand, so that a job can be watched without a model.
//!
//! `WireSlow(image, steps, delay, preview, fail_at, nonce)` makes `steps` steps of `delay` seconds, with a preview
//! each where wanted, and fails at step `fail_at`; another `nonce` makes it run anew. `WireText(image, text)` sends a
//! line of text.

use serde_json::{Value, json};

use crate::sim::comfyui::{disk::Files, painters::PAINTERS};

/// A class of nodes.
#[derive(Debug)]
pub struct Class {
    /// Its name in `class_type`.
    pub name: &'static str,
    /// Its inputs, in order.
    pub(super) inputs: &'static [Input],
    /// What the server adds by itself: name and type.
    pub(super) hidden: &'static [(&'static str, &'static str)],
    /// Types of its outputs.
    pub(super) outputs: &'static [&'static str],
    /// Whether it is a reason to run a graph.
    pub(super) role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Output,
    Inner,
}

#[derive(Debug)]
pub(super) struct Input {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// The rest of its declaration, JSON.
    config: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Image,
    /// Another link, of this type.
    Link(&'static str),
    Int {
        min: i64,
        max: i64,
    },
    Float {
        min: f64,
        max: f64,
    },
    Text,
    Flag,
    OneOf(&'static [&'static str]),
    /// A file in the input folder.
    InputFile,
    /// A file in the folder of checkpoints.
    Checkpoint,
}

impl Input {
    /// The type's name.
    pub(super) fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Image => "IMAGE",
            Kind::Int { .. } => "INT",
            Kind::Float { .. } => "FLOAT",
            Kind::Text => "STRING",
            Kind::Flag => "BOOLEAN",
            Kind::Link(name) => name,
            Kind::OneOf(_) | Kind::InputFile | Kind::Checkpoint => "COMBO",
        }
    }

    /// As `/object_info` and the errors show it: the type or the choices, and the rest.
    pub(super) fn declaration(&self, files: &Files) -> Value {
        let config: Value = serde_json::from_str(self.config).expect("a constant is JSON");
        match self.kind {
            Kind::OneOf(choices) => json!([choices, config]),
            Kind::InputFile => json!([files.input, config]),
            Kind::Checkpoint => json!([files.checkpoints, config]),
            _ => json!([self.kind_name(), config]),
        }
    }
}

pub(super) const fn input(name: &'static str, kind: Kind, config: &'static str) -> Input {
    Input { name, kind, config }
}

pub(super) const SIZE: Kind = Kind::Int { min: 1, max: 16_384 };
pub(super) const SIZE_CONFIG: &str = r#"{"default":512,"min":1,"max":16384,"step":1}"#;

const PNG_INFO: &[(&str, &str)] = &[("prompt", "PROMPT"), ("extra_pnginfo", "EXTRA_PNGINFO")];
const OWN_ID: &[(&str, &str)] = &[("unique_id", "UNIQUE_ID")];

/// The classes that need no model.
pub const CLASSES: &[Class] = &[
    Class {
        name: "EmptyImage",
        inputs: &[
            input("width", SIZE, SIZE_CONFIG),
            input("height", SIZE, SIZE_CONFIG),
            input("batch_size", Kind::Int { min: 1, max: 4_096 }, r#"{"default":1,"min":1,"max":4096}"#),
            input(
                "color",
                Kind::Int { min: 0, max: 0xff_ffff },
                r#"{"default":0,"min":0,"max":16777215,"step":1,"display":"color"}"#,
            ),
        ],
        hidden: &[],
        outputs: &["IMAGE"],
        role: Role::Inner,
    },
    Class {
        name: "LoadImage",
        inputs: &[input("image", Kind::InputFile, r#"{"image_upload":true}"#)],
        hidden: &[],
        outputs: &["IMAGE", "MASK"],
        role: Role::Inner,
    },
    Class {
        name: "ImageScale",
        inputs: &[
            input("image", Kind::Image, "{}"),
            input(
                "upscale_method",
                Kind::OneOf(&["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]),
                "{}",
            ),
            input(
                "width",
                Kind::Int { min: 0, max: 16_384 },
                r#"{"default":512,"min":0,"max":16384,"step":1}"#,
            ),
            input(
                "height",
                Kind::Int { min: 0, max: 16_384 },
                r#"{"default":512,"min":0,"max":16384,"step":1}"#,
            ),
            input("crop", Kind::OneOf(&["disabled", "center"]), "{}"),
        ],
        hidden: &[],
        outputs: &["IMAGE"],
        role: Role::Inner,
    },
    Class {
        name: "ImageBlur",
        inputs: &[
            input("image", Kind::Image, "{}"),
            input("blur_radius", Kind::Int { min: 1, max: 31 }, r#"{"default":1,"min":1,"max":31,"step":1}"#),
            input(
                "sigma",
                Kind::Float { min: 0.1, max: 10.0 },
                r#"{"default":1.0,"min":0.1,"max":10.0,"step":0.1}"#,
            ),
        ],
        hidden: &[],
        outputs: &["IMAGE"],
        role: Role::Inner,
    },
    Class {
        name: "SaveImage",
        inputs: &[
            input("images", Kind::Image, r#"{"tooltip":"The images to save."}"#),
            input(
                "filename_prefix",
                Kind::Text,
                r#"{"default":"ComfyUI","tooltip":"The prefix for the file to save."}"#,
            ),
        ],
        hidden: PNG_INFO,
        outputs: &[],
        role: Role::Output,
    },
    Class {
        name: "PreviewImage",
        inputs: &[input("images", Kind::Image, "{}")],
        hidden: PNG_INFO,
        outputs: &[],
        role: Role::Output,
    },
    Class {
        name: "WireSlow",
        inputs: &[
            input("image", Kind::Image, "{}"),
            input("steps", Kind::Int { min: 1, max: 10_000 }, r#"{"default":5,"min":1,"max":10000}"#),
            input("delay", Kind::Float { min: 0.0, max: 60.0 }, r#"{"default":0.2,"min":0,"max":60}"#),
            input("preview", Kind::Flag, r#"{"default":false}"#),
            input("fail_at", Kind::Int { min: -1, max: 10_000 }, r#"{"default":-1,"min":-1,"max":10000}"#),
            input(
                "nonce",
                Kind::Int { min: 0, max: 2_147_483_648 },
                r#"{"default":0,"min":0,"max":2147483648}"#,
            ),
        ],
        hidden: OWN_ID,
        outputs: &["IMAGE"],
        role: Role::Inner,
    },
    Class {
        name: "WireText",
        inputs: &[input("image", Kind::Image, "{}"), input("text", Kind::Text, r#"{"default":"hi"}"#)],
        hidden: OWN_ID,
        outputs: &["IMAGE"],
        role: Role::Inner,
    },
];

/// The class with this name.
pub(super) fn class(name: &str) -> Option<&'static Class> {
    all().find(|c| c.name == name)
}

/// All classes.
pub fn all() -> impl Iterator<Item = &'static Class> {
    CLASSES.iter().chain(PAINTERS)
}

/// One class as `/object_info` shows it.
pub(super) fn describe(class: &Class, files: &Files) -> Value {
    let required: serde_json::Map<_, _> =
        class.inputs.iter().map(|i| (i.name.to_owned(), i.declaration(files))).collect();
    let order: Vec<_> = class.inputs.iter().map(|i| i.name).collect();
    let (mut inputs, mut orders) = (json!({"required": required}), json!({"required": order}));
    if !class.hidden.is_empty() {
        inputs["hidden"] =
            class.hidden.iter().map(|(name, kind)| ((*name).to_owned(), json!(kind))).collect();
        orders["hidden"] = class.hidden.iter().map(|(name, _)| json!(name)).collect();
    }
    json!({
        "input": inputs,
        "input_order": orders,
        "output": class.outputs,
        "output_is_list": vec![false; class.outputs.len()],
        "output_name": class.outputs,
        "name": class.name,
        "display_name": class.name,
        "description": "",
        "python_module": "nodes",
        "category": "simulated",
        "output_node": class.role == Role::Output,
    })
}
