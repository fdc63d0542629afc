//! Who plays in the demo: three simulated backends.

use std::io;

use crate::sim::{
    SimServer,
    comfyui::{SimComfyui, Version as ComfyuiVersion},
    gradio::{Flavour, Options as GradioOptions, SimGradio, Version as GradioVersion},
    litellm::{Options as LitellmOptions, SimLitellm},
};

/// The simulated backends; dropping it kills them.
pub(super) struct Cast {
    pub(super) comfyui: SimComfyui,
    pub(super) wan2gp: SimGradio,
    pub(super) litellm: SimLitellm,
}

impl Cast {
    pub(super) const IDS: [&str; 3] = ["comfyui", "wan2gp", "litellm"];

    pub(super) async fn gather() -> io::Result<Self> {
        // Shaped like Wan2GP, on the version that it pins.
        let shape = GradioOptions { flavour: Flavour::WanGp, ..GradioOptions::default() };
        Ok(Self {
            comfyui: SimComfyui::start(ComfyuiVersion::V0_24_0).await?,
            wan2gp: SimGradio::start(GradioVersion::V5_29_0, shape).await?,
            litellm: SimLitellm::start(LitellmOptions::default()).await?,
        })
    }

    /// The machine under a backend.
    pub(super) fn server(&self, id: &str) -> Option<&SimServer> {
        match id {
            "comfyui" => Some(self.comfyui.server()),
            "wan2gp" => Some(self.wan2gp.server()),
            "litellm" => Some(&self.litellm),
            _ => None,
        }
    }
}
