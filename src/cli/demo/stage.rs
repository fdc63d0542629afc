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
        gradio::SimGradio,
        litellm::SimLitellm,
    },
};

/// Everything that the demo plays on.
pub(super) struct Stage {
    pub(super) comfyui: SimComfyui,
    pub(super) gradio: SimGradio,
    pub(super) litellm: SimLitellm,
    pub(super) supervisor: Supervisor,
    access: Access,
    server: Server,
    dashboard: String,
}

impl Stage {
    pub(super) async fn build() -> Result<Self, Stop> {
        let failed = |e: std::io::Error| Stop::failed(format!("a simulated backend cannot listen: {e}"));
        let comfyui = SimComfyui::start(ComfyuiVersion::V0_24_0).await.map_err(failed)?;
        let gradio = wan2gp().await.map_err(failed)?;
        let litellm = llm().await.map_err(failed)?;
        let config = Config::new()
            .backend(backend("comfyui", Kind::Comfyui, comfyui.server().port())?.required())
            .backend(backend("wan2gp", Kind::Wan2gp, gradio.server().port())?)
            .backend(backend("litellm", Kind::Litellm, litellm.server().port())?.with_key(Secret::inline(KEY)));
        let listening = listen((Ipv4Addr::LOCALHOST, 0).into()).await.map_err(|e| Stop::failed(e.to_string()))?;
        let supervisor = Supervisor::builder().config(config).start().await?;
        let access = Access::token(Token::random());
        let server = listening.serve(supervisor.handle(), access.clone());
        let dashboard = format!("http://{}/#{}", server.address, access.one_time_code());
        Ok(Self { comfyui, gradio, litellm, supervisor, access, server, dashboard })
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
