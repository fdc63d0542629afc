//! The demo's stage: three simulated backends, the supervisor over them, and its dashboard.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use super::{cast::Cast, chaos, scratch::Scratch};
use crate::{
    Supervisor,
    cli::outcome::Stop,
    config::{BackendConfig, Config, PoolConfig, Secret},
    http::{Access, Bounds, Server, Token, dashboard, listen},
    model::{BackendId, Kind},
    net::Address,
};

/// Everything that the demo plays on.
pub(super) struct Stage {
    /// They live as long as the stage.
    pub(super) cast: Arc<Cast>,
    pub(super) supervisor: Supervisor,
    access: Access,
    server: Server,
    dashboard: String,
    /// Goes last: the supervisor writes into it until it is shut down.
    _scratch: Scratch,
}

impl Stage {
    pub(super) async fn build() -> Result<Self, Stop> {
        let failed = |e: std::io::Error| Stop::failed(format!("a simulated backend cannot listen: {e}"));
        let cast = Arc::new(Cast::gather().await.map_err(failed)?);
        let scratch = Scratch::make()?;
        let key = Secret::Inline(cast.litellm.key().into());
        let config = Config::new()
            .backend(backend("comfyui", Kind::Comfyui, cast.comfyui.server().port())?.required())
            .backend(backend("wan2gp", Kind::Wan2gp, cast.wan2gp.server().port())?)
            .backend(backend("litellm", Kind::Litellm, cast.litellm.port())?.with_key(key))
            .pool(PoolConfig::new(id("visual")?, [id("comfyui")?, id("wan2gp")?]));
        let listening =
            listen((Ipv4Addr::LOCALHOST, 0).into()).await.map_err(|e| Stop::failed(e.to_string()))?;
        let supervisor = Supervisor::builder().config(config).state_dir(scratch.path()).start().await?;
        let access = Access::token(Token::random());
        let acts = chaos::routes(supervisor.handle(), cast.clone());
        let app = dashboard::over_a_stage(supervisor.handle(), access.clone(), acts);
        let server = listening.serve_app(app, Bounds::default());
        let dashboard = format!("http://{}/#{}", server.address, access.one_time_code());
        Ok(Self { cast, supervisor, access, server, dashboard, _scratch: scratch })
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
    Ok(BackendConfig::new(self::id(id)?, kind, Address::loopback(port)))
}

fn id(text: &str) -> Result<BackendId, Stop> {
    BackendId::new(text).map_err(|e| Stop::failed(e.to_string()))
}
