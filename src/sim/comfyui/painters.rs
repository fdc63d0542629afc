//! The stock classes that make a picture with a model. The simulated server makes a grey one.

use crate::sim::comfyui::nodes::{Class, Kind, Role, SIZE, SIZE_CONFIG, input};

/// The classes, from the model to the picture.
pub(super) const PAINTERS: &[Class] = &[
    Class {
        name: "CheckpointLoaderSimple",
        inputs: &[input(
            "ckpt_name",
            Kind::Checkpoint,
            r#"{"tooltip":"The name of the checkpoint (model) to load."}"#,
        )],
        hidden: &[],
        outputs: &["MODEL", "CLIP", "VAE"],
        role: Role::Inner,
    },
    Class {
        name: "CLIPTextEncode",
        inputs: &[
            input("text", Kind::Text, r#"{"multiline":true,"dynamicPrompts":true}"#),
            input("clip", Kind::Link("CLIP"), "{}"),
        ],
        hidden: &[],
        outputs: &["CONDITIONING"],
        role: Role::Inner,
    },
    Class {
        name: "EmptyLatentImage",
        inputs: &[
            input("width", SIZE, SIZE_CONFIG),
            input("height", SIZE, SIZE_CONFIG),
            input("batch_size", Kind::Int { min: 1, max: 4_096 }, r#"{"default":1,"min":1,"max":4096}"#),
        ],
        hidden: &[],
        outputs: &["LATENT"],
        role: Role::Inner,
    },
    Class {
        name: "KSampler",
        inputs: &[
            input("model", Kind::Link("MODEL"), "{}"),
            input("seed", Kind::Int { min: 0, max: i64::MAX }, r#"{"default":0,"min":0}"#),
            input("steps", Kind::Int { min: 1, max: 10_000 }, r#"{"default":20,"min":1,"max":10000}"#),
            input(
                "cfg",
                Kind::Float { min: 0.0, max: 100.0 },
                r#"{"default":8.0,"min":0.0,"max":100.0,"step":0.1,"round":0.01}"#,
            ),
            input("sampler_name", Kind::OneOf(&["euler", "euler_ancestral", "dpmpp_2m", "ddim"]), "{}"),
            input("scheduler", Kind::OneOf(&["normal", "karras", "simple"]), "{}"),
            input("positive", Kind::Link("CONDITIONING"), "{}"),
            input("negative", Kind::Link("CONDITIONING"), "{}"),
            input("latent_image", Kind::Link("LATENT"), "{}"),
            input(
                "denoise",
                Kind::Float { min: 0.0, max: 1.0 },
                r#"{"default":1.0,"min":0.0,"max":1.0,"step":0.01}"#,
            ),
        ],
        hidden: &[],
        outputs: &["LATENT"],
        role: Role::Inner,
    },
    Class {
        name: "VAEDecode",
        inputs: &[input("samples", Kind::Link("LATENT"), "{}"), input("vae", Kind::Link("VAE"), "{}")],
        hidden: &[],
        outputs: &["IMAGE"],
        role: Role::Inner,
    },
];
