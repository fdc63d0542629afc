//! The configuration, read and changed while the supervisor runs.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

use super::{Handle, apply::DRAIN};
use crate::{
    config::{BackendConfig, Config, Edits, Loaded, Problems},
    discovery::Find,
    error::Error,
    model::BackendId,
    settings::{
        Change, Edit, Fields, Past, Preview, Proposal, actor::Msg, crew::Wish, fit::unknown, layers::Outcome,
        standing::Settings,
    },
};

/// How long a change may take: others may be before it, and each may drain a backend.
const PATIENCE: Duration = DRAIN.saturating_mul(3);

impl Handle {
    /// The configuration that counts now, of all layers.
    pub fn config(&self) -> Arc<Config> {
        self.0.standing.now().config.clone()
    }

    /// The same with the origin of each value, where the layers have been loaded: what the host's own code gave has
    /// no layers.
    pub fn loaded(&self) -> Option<Arc<Loaded>> {
        self.0.standing.now().loaded.clone()
    }

    /// Where the user's own presets lie, where [`Builder::presets_dir`](super::Builder::presets_dir) named a place.
    pub fn presets_dir(&self) -> Option<&std::path::Path> {
        self.0.presets.as_deref()
    }

    /// Names the configuration that counts now; another one has another tag.
    pub fn config_tag(&self) -> String {
        self.0.standing.tag()
    }

    /// What was changed through the API, and counts over the file.
    pub fn edits(&self) -> Edits {
        self.0.standing.now().edits.clone()
    }

    /// How many edits of this run can be taken back.
    pub fn undoable(&self) -> usize {
        self.0.standing.now().past.len()
    }

    /// What is wrong with the layers as they are now, while the last good ones count; empty where they are in order.
    pub fn config_problems(&self) -> Problems {
        self.0.standing.now().problems.clone()
    }

    /// Servers that were found and are no backends.
    pub fn finds(&self) -> Vec<Proposal> {
        self.0.standing.now().proposals.clone()
    }

    /// Makes this the configuration of the host's own code. What does not differ keeps its session and its running
    /// jobs; a backend that goes, or that needs another session, drains first, at most 20 s.
    ///
    /// # Cancel safety
    /// Dropping the future, it is done all the same.
    ///
    /// # Errors
    /// [`Error::Layered`] where the supervisor loads its configuration from layers; [`Error::Invalid`] where edits do
    /// not fit it.
    pub async fn apply(&self, config: Config) -> Result<Change, Error> {
        self.wish(Wish::Apply(Box::new(config))).await
    }

    /// Loads all layers again, and applies what they come to.
    ///
    /// # Cancel safety
    /// Dropping the future, it is done all the same.
    ///
    /// # Errors
    /// [`Error::Invalid`]: every problem, and the configuration before stays. [`Error::NoLoader`] without layers.
    pub async fn reload(&self) -> Result<Change, Error> {
        self.wish(Wish::Reload).await
    }

    /// Carries out an edit: validated with all layers, kept across restarts where there is a state directory, applied
    /// as [`Self::apply`] does. With a `tag` only where the configuration is still the one that had it.
    ///
    /// # Cancel safety
    /// Dropping the future, it is done all the same.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every problem, [`Error::Outdated`], [`Error::UnknownBackend`], [`Error::Exists`],
    /// [`Error::Fixed`], or [`Error::State`] where it could not be kept; then nothing has changed.
    pub async fn edit(&self, edit: Edit, tag: Option<String>) -> Result<Change, Error> {
        self.wish(Wish::Edit { edit, tag }).await
    }

    /// Says what an edit would come to, and makes it not.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// # Errors
    /// [`Error::NothingToUndo`]; what is wrong with the edit stands in the preview.
    pub async fn preview(&self, edit: Edit) -> Result<Preview, Error> {
        self.aside(move |now| Preview::of(now, edit)).await
    }

    /// A backend as it would be with these fields, over what it has where it is configured already: for a test of it.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every problem, [`Error::UnknownBackend`].
    pub async fn candidate(
        &self,
        id: Option<BackendId>,
        fields: Fields,
    ) -> Result<Arc<BackendConfig>, Error> {
        if let Some(id) = &id
            && let Some(backend) = self.config().backends.get(id)
            && fields.is_empty()
        {
            return Ok(backend.clone());
        }
        self.aside(move |now| {
            let edit = match id {
                Some(id) if now.config.backends.contains_key(&id) => (Edit::Change(id.clone(), fields), id),
                Some(id) => return Err(unknown(&id, now)),
                None => {
                    let id = unused(now);
                    (Edit::Add(id.clone(), fields), id)
                }
            };
            let (edit, id) = edit;
            let edits = edit.over(&now.edits, &Past(&[]))?;
            let Outcome { mut config, .. } =
                now.layers.load(&edits, &now.book).map_err(|broken| Error::Invalid(broken.problems))?;
            config.backends.shift_remove(&id).ok_or_else(|| unknown(&id, now))
        })
        .await
    }

    /// Works on the settings as they are now; it may read files.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Settings) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let now = self.0.standing.now();
        let done = tokio::task::spawn_blocking(move || work(&now)).await;
        done.map_err(|_| Error::Restarting { actor: "settings" })?
    }

    /// Adds a backend: `kind` and `url` at least.
    ///
    /// # Cancel safety
    /// As [`Self::edit`].
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub async fn add_backend(&self, id: BackendId, fields: Fields) -> Result<Change, Error> {
        self.edit(Edit::Add(id, fields), None).await
    }

    /// Changes fields of a backend.
    ///
    /// # Cancel safety
    /// As [`Self::edit`].
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub async fn change_backend(&self, id: BackendId, fields: Fields) -> Result<Change, Error> {
        self.edit(Edit::Change(id, fields), None).await
    }

    /// Takes a backend out, whichever layer brought it in; [`Self::revert_backend`] brings one of a lower layer back.
    ///
    /// # Cancel safety
    /// As [`Self::edit`].
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub async fn remove_backend(&self, id: BackendId) -> Result<Change, Error> {
        self.edit(Edit::Remove(id), None).await
    }

    /// Takes back everything that was edited about a backend.
    ///
    /// # Cancel safety
    /// As [`Self::edit`].
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub async fn revert_backend(&self, id: BackendId) -> Result<Change, Error> {
        self.edit(Edit::Revert(id), None).await
    }

    /// Rules on servers that were found, as on those of a finished sweep: by `discovery.adopt` they become backends or
    /// proposals, and a backend that moved is followed.
    ///
    /// # Cancel safety
    /// As [`Self::edit`].
    ///
    /// # Errors
    /// [`Error::Invalid`] or [`Error::State`]; then nothing has changed.
    pub async fn found(&self, finds: Vec<Find>) -> Result<Change, Error> {
        self.wish(Wish::Sweep(finds)).await
    }

    async fn wish(&self, wish: Wish) -> Result<Change, Error> {
        let actor = "settings";
        let settings = self.0.tree.settings().ok_or(Error::Restarting { actor })?;
        let (reply, answer) = oneshot::channel();
        settings.cast(Msg::Wish(wish, Some(reply))).map_err(|_| Error::Restarting { actor })?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_dropped)) => Err(Error::Restarting { actor }),
            Err(_) => Err(Error::NoAnswer { actor, waited: PATIENCE }),
        }
    }
}

/// A name that nobody has, for a candidate.
fn unused(now: &Settings) -> BackendId {
    let names = std::iter::once("candidate".to_owned()).chain((2_u32..).map(|n| format!("candidate-{n}")));
    let ids = names.filter_map(|name| BackendId::new(name).ok());
    let free = |id: &BackendId| !now.config.backends.contains_key(id) && !now.config.pools.contains_key(id);
    ids.into_iter().find(free).expect("there are more numbers than backends")
}
