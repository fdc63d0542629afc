//! A live, identified connection to WanGP's MCP server.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::{
    backends::{
        Abilities, Attempt, Download, Finished, Fitness, RemoteFile, Session as Seam, Setback, Sink,
        session::Pulse,
        wan2gp::{
            cancel, fit, gallery,
            greeting::Greeting,
            memory::Memory,
            models::{self, Model},
            run, tool,
            wire::Wire,
        },
    },
    model::{BackendId, Capability, Code, Fault, Identity, Kind, Work},
};

/// Schemas that are kept.
const SCHEMAS_CAP: usize = 256;

/// A live, identified connection to WanGP's MCP server.
pub struct Session {
    pub(super) wire: Wire,
    pub(super) memory: Arc<Memory>,
    greeting: Greeting,
    offer: watch::Sender<Offer>,
    schemas: Mutex<IndexMap<String, Arc<RawValue>>>,
}

/// What the server can do, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) capabilities: Vec<Capability>,
    pub(super) models: Arc<[Model]>,
}

impl Session {
    pub(super) fn new(wire: Wire, memory: Arc<Memory>, greeting: Greeting, can: Vec<Capability>) -> Self {
        let offer = watch::Sender::new(Offer { capabilities: can, models: Arc::default() });
        Self { wire, memory, greeting, offer, schemas: Mutex::default() }
    }

    /// The models that the server offers now. Also read once by itself, after the session opened.
    ///
    /// # Errors
    /// The network's, and what the server complains of.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn models(&self) -> Result<Arc<[Model]>, Fault> {
        let models: Arc<[Model]> = models::all(&self.wire).await?.into();
        let offer = Offer { capabilities: models::evidence(&models), models: models.clone() };
        self.offer.send_replace(offer);
        Ok(models)
    }

    /// What a model takes and makes, as the server describes it (`wangp_get_model_schema`): read once a session.
    ///
    /// # Errors
    /// [`Code::MissingModel`] where the server has no such model, else the network's.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn schema(&self, model: &str) -> Result<Arc<RawValue>, Fault> {
        #[derive(Serialize)]
        struct Asked<'a> {
            model_type: &'a str,
        }
        let kept = || self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = kept().get(model) {
            return Ok(schema.clone());
        }
        let result = self.wire.call("wangp_get_model_schema", Asked { model_type: model }).await?;
        let schema: Option<Box<RawValue>> = tool::optional(&result).map_err(|t| self.wire.trouble(t))?;
        let unknown = || Fault::new(Code::MissingModel, format!("{}: no model `{model}`", self.wire.place()));
        let schema: Arc<RawValue> = schema.ok_or_else(unknown)?.into();
        let mut kept = kept();
        if kept.len() >= SCHEMAS_CAP {
            kept.shift_remove_index(0);
        }
        kept.insert(model.to_owned(), schema.clone());
        Ok(schema)
    }

    pub(super) fn offer_changes(&self) -> watch::Receiver<Offer> {
        self.offer.subscribe()
    }

    pub(super) fn identity(&self) -> Identity {
        let offer = self.offer.borrow().clone();
        Identity {
            // The server tells the version of its MCP library only.
            version: None,
            title: Some(self.greeting.title()),
            // It has none; what it does not know was given by another process.
            boot: None,
            evidence: models::shown(&offer.capabilities, &offer.models),
            capabilities: offer.capabilities,
            models: offer.models.iter().map(|model| model.model_type.clone()).collect(),
            ..Identity::default()
        }
    }

    /// A look at the server, at most this long: the protocol's own `ping`, which touches nothing of WanGP.
    pub(super) async fn look(&self, limit: Duration) -> Result<(), Fault> {
        #[derive(Serialize)]
        struct Nothing {}
        self.wire.ask("ping", Nothing {}, limit).await.map(drop)
    }
}

impl Seam for Session {
    fn backend(&self) -> &BackendId {
        &self.wire.target.id
    }

    fn kind(&self) -> Kind {
        Kind::Wan2gp
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            // The server mints the id, and has no list of its jobs.
            can_choose_id: false,
            can_look_up: true,
            can_cancel_by_id: true,
            survives_disconnect: true,
            survives_backend_restart: false,
        }
    }

    fn probe(&self) -> BoxFuture<'_, Result<Pulse, Fault>> {
        Box::pin(async {
            self.look(self.wire.limit()).await?;
            Ok(Pulse::default())
        })
    }

    fn observe(&self) -> BoxFuture<'_, Result<Option<Identity>, Fault>> {
        Box::pin(async {
            self.models().await?;
            Ok(Some(self.identity()))
        })
    }

    fn in_flight(&self) -> usize {
        self.wire.tie.in_flight()
    }

    fn end(&self, why: Fault) {
        self.wire.tie.end(why);
    }

    fn ended(&self) -> Option<Fault> {
        self.wire.tie.ended()
    }

    fn run(
        self: Arc<Self>,
        attempt: Attempt,
        sink: Arc<dyn Sink>,
    ) -> BoxFuture<'static, Result<Finished, Setback>> {
        Box::pin(async move {
            let _flight = self.wire.tie.fly();
            run::run(&self, &attempt, &*sink).await
        })
    }

    fn preflight<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Result<Fitness, Fault>> {
        Box::pin(fit::fit(self, work))
    }

    fn cancel(&self, remote: String) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(async move { cancel::cancel(self, &remote).await })
    }

    fn fetch(&self, file: RemoteFile, from: u64) -> BoxFuture<'_, Result<Download, Fault>> {
        Box::pin(async move { gallery::fetch(self, file, from).await })
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("backend", &self.wire.target.id).finish_non_exhaustive()
    }
}
