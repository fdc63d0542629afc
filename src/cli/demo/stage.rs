//! The demo's stage: three simulated backends, the supervisor over them, and its dashboard.

use std::{net::Ipv4Addr, time::Duration};

use crate::{
    Supervisor,
    cli::outcome::Stop,
    config::{BackendConfig, Config, Secret},
    http::{Access, Server, Token, listen},
    model::{BackendId, Kind},
    net::Address,
    sim::{
        comfyui::{SimComfyui, Version as ComfyuiVersion},
        gradio::{Flavour, Options as GradioOptions, SimGradio, Version as GradioVersion},
        litellm::{Options as LitellmOptions, SimLitellm},
    },
};

/// Everything that the demo plays on.
pub(super) struct Stage {
    pub(super) comfyui: SimComfyui,
    /// They live as long as the stage.
    _others: (SimGradio, SimLitellm),
    pub(super) supervisor: Supervisor,
    access: Access,
    server: Server,
    dashboard: String,
}

impl Stage {
    pub(super) async fn build() -> Result<Self, Stop> {
        let failed = |e: std::io::Error| Stop::failed(format!("a simulated backend cannot listen: {e}"));
        let comfyui = SimComfyui::start(ComfyuiVersion::V0_24_0).await.map_err(failed)?;
        // Shaped like Wan2GP, on the version that it pins.
        let shape = GradioOptions { flavour: Flavour::WanGp, ..GradioOptions::default() };
        let gradio = SimGradio::start(GradioVersion::V5_29_0, shape).await.map_err(failed)?;
        let litellm = SimLitellm::start(LitellmOptions::default()).await.map_err(failed)?;
        let key = Secret::Inline(litellm.key().into());
        let config = Config::new()
            .backend(backend("comfyui", Kind::Comfyui, comfyui.server().port())?.required())
            .backend(backend("wan2gp", Kind::Wan2gp, gradio.server().port())?)
            .backend(backend("litellm", Kind::Litellm, litellm.port())?.with_key(key));
        let listening =
            listen((Ipv4Addr::LOCALHOST, 0).into()).await.map_err(|e| Stop::failed(e.to_string()))?;
        let supervisor = Supervisor::builder().config(config).start().await?;
        let access = Access::token(Token::random());
        let server = listening.serve(supervisor.handle(), access.clone());
        let dashboard = format!("http://{}/#{}", server.address, access.one_time_code());
        Ok(Self { comfyui, _others: (gradio, litellm), supervisor, access, server, dashboard })
    }

    /// The address that was printed first.
    pub(super) fn dashboard(&self) -> String {
        self.dashboard.clone()
    }

    /// An address with a code that nobody used yet.
    pub(super) fn fresh_dashboard(&self) -> String {
        format!("http://{}/#{}", self.server.address, self.access.one_time_code())
    }

    pub(super) async fn strike(self) {
        self.server.stop();
        self.supervisor.shutdown(Duration::from_secs(2)).await;
    }
}

fn backend(id: &str, kind: Kind, port: u16) -> Result<BackendConfig, Stop> {
    let id = BackendId::new(id).map_err(|e| Stop::failed(e.to_string()))?;
    Ok(BackendConfig::new(id, kind, Address::loopback(port)))
}
