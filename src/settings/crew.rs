//! Carries out what is asked of the settings, one wish after the other.

use std::sync::Arc;

use crate::{
    config::Config,
    discovery::Find,
    error::Error,
    model::{BackendId, EventBody, Phase},
    settings::{
        Change, Edit,
        adopt::{self, Situation},
        edit::Past,
        fit::fitting,
        layers::{Broken, Layers, Outcome},
        masked::masked,
        refusal::refusing,
        shelf::{Kept, Shelf},
        standing::{Recall, Settings, Standing},
        tell::Teller,
    },
    supervisor::apply::Stage,
};

/// Edits that can be taken back, one after the other.
const UNDO: usize = 32;

/// What is asked of the settings.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Go on from what was kept over a restart.
    Begin,
    /// The host's own code gives another configuration.
    Apply(Box<Config>),
    /// Somebody edits, perhaps only what they have seen.
    Edit { edit: Edit, tag: Option<String> },
    /// A file may have changed.
    Reload,
    /// A sweep ended.
    Sweep(Vec<Find>),
}

impl Wish {
    /// What failed, where nobody waits for the answer.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Begin => "the settings could not be taken up",
            Self::Apply(_) => "a configuration could not be applied",
            Self::Edit { .. } => "an edit could not be applied",
            Self::Reload => "the changed files do not count",
            Self::Sweep(_) => "what was found could not be adopted",
        }
    }
}

/// Whether a change of edits and book goes to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeping {
    WhatChanged,
    /// What the store has is more than what counts now.
    AsItIs,
}

/// What is needed to carry out a wish. One wish at a time: this is the one writer of the settings.
pub(crate) struct Crew {
    pub(crate) stage: Stage,
    pub(crate) standing: Arc<Standing>,
    pub(crate) shelf: Shelf,
    pub(crate) teller: Teller,
}

impl Crew {
    /// Carries out a wish. Dropped on the way it leaves settings that the next wish completes.
    pub(crate) async fn serve(&self, wish: Wish) -> Result<Change, Error> {
        match wish {
            Wish::Begin => self.begin().await,
            Wish::Apply(config) => {
                let mut draft = self.draft();
                match draft.layers {
                    Layers::Read(_) => return Err(Error::Layered),
                    Layers::Given(_) => draft.layers = Layers::Given(config),
                }
                self.settle(draft).await
            }
            Wish::Edit { edit, tag } => self.edit(edit, tag).await,
            Wish::Reload => self.reload().await,
            Wish::Sweep(finds) => self.sweep(&finds).await,
        }
    }

    fn draft(&self) -> Settings {
        Settings::clone(&self.standing.now())
    }

    /// Takes up what earlier runs kept; after a crash, completes what was begun.
    async fn begin(&self) -> Result<Change, Error> {
        let mut draft = self.draft();
        if draft.recall == Recall::Done {
            return self.stage.turn_to(&draft.config).await;
        }
        let begun = match self.shelf.take().await {
            Ok(Kept { edits, book }) => {
                draft.recall = Recall::Done;
                draft.edits = edits;
                draft.book = book.with(draft.book);
                self.resume(draft).await
            }
            // Without the database there is still a configuration. It is asked for again.
            Err(error) => self.settle(draft).await.and(Err(error)),
        };
        self.standing.settled.send_replace(true);
        begun
    }

    async fn resume(&self, mut draft: Settings) -> Result<Change, Error> {
        match self.settle(draft.clone()).await {
            // What was edited does not fit the file any more: the file counts, and the edits wait for it to be mended.
            Err(Error::Invalid(problems)) if !draft.edits.is_empty() => {
                let edits = std::mem::take(&mut draft.edits);
                let change = self.settle_with(draft, Keeping::AsItIs).await?;
                let mut now = self.draft();
                (now.edits, now.problems) = (edits, problems);
                self.teller.invalid(&now.problems);
                self.standing.set(now);
                Ok(change)
            }
            settled => settled,
        }
    }

    async fn edit(&self, edit: Edit, tag: Option<String>) -> Result<Change, Error> {
        if tag.is_some_and(|tag| tag != self.standing.tag()) {
            return Err(Error::Outdated);
        }
        if self.standing.now().recall == Recall::Due {
            // What is edited now would be written over what was edited before.
            self.begin().await?;
        }
        let mut draft = self.draft();
        let edit = fitting(edit, &draft)?;
        let (before, undoes) = (draft.edits.clone(), matches!(edit, Edit::Undo));
        draft.edits = edit.over(&before, &Past(&draft.past))?;
        if undoes {
            draft.past.pop();
        } else if draft.edits != before {
            draft.past.drain(..(draft.past.len() + 1).saturating_sub(UNDO));
            draft.past.push(before);
        }
        self.settle(draft).await
    }

    async fn reload(&self) -> Result<Change, Error> {
        let before = self.standing.now();
        let Layers::Read(_) = before.layers else { return Err(Error::NoLoader) };
        match self.settle(self.draft()).await {
            Err(Error::Invalid(problems)) => {
                self.teller.invalid(&problems);
                let mut now = self.draft();
                now.problems = problems.clone();
                self.standing.set(now);
                Err(Error::Invalid(problems))
            }
            settled => {
                let after = self.standing.now();
                if let (Some(before), Some(loaded)) = (&before.loaded, &after.loaded) {
                    self.teller.masked(&masked(before, loaded, &after.edits));
                }
                settled
            }
        }
    }

    /// Rules on what a sweep found.
    async fn sweep(&self, finds: &[Find]) -> Result<Change, Error> {
        let now = self.draft();
        let Outcome { config: running, bare, .. } = self.load(&now).await?;
        let shown = self.stage.common.hub.snapshot();
        let is_ready = |id: &BackendId| shown.backend(id.as_str()).is_some_and(|b| b.phase == Phase::Ready);
        let doubtful = running.backends.values().filter(|backend| !is_ready(&backend.id));
        let refusing = refusing(doubtful.map(|b| (b.id.clone(), b.url.clone())).collect()).await;
        let reserved: Vec<BackendId> =
            now.edits.removed().filter_map(|path| path.strip_prefix("backends.")?.parse().ok()).collect();
        let situation =
            Situation { bare: &bare, running: &running, reserved: &reserved, refusing: &refusing };
        let ruling = adopt::rule(&now.book, &situation, finds);
        let mut draft = now.clone();
        (draft.book, draft.proposals) = (ruling.book, ruling.proposals);
        let change = if draft.book == now.book {
            self.standing.set(draft.clone());
            Change::default()
        } else {
            self.settle(draft.clone()).await?
        };
        self.teller.found(&ruling.news, &now.proposals, &draft.proposals);
        Ok(change)
    }

    /// Makes a draft count: all layers, validated, kept, and carried out. Nothing happens where they are not valid,
    /// or cannot be kept.
    async fn settle(&self, draft: Settings) -> Result<Change, Error> {
        self.settle_with(draft, Keeping::WhatChanged).await
    }

    async fn settle_with(&self, mut draft: Settings, keeping: Keeping) -> Result<Change, Error> {
        let before = self.standing.now();
        let outcome = self.load(&draft).await?;
        let news = outcome.config != *before.config;
        let changed = draft.edits != before.edits || draft.book != before.book;
        if changed && (before.recall, keeping) == (Recall::Done, Keeping::WhatChanged) {
            self.shelf.keep(&draft).await?;
        }
        draft.config = Arc::new(outcome.config);
        draft.loaded = Some(Arc::new(outcome.loaded));
        draft.problems = Default::default();
        draft.generation += u64::from(news || draft.edits != before.edits);
        let config = draft.config.clone();
        // Written first: should this be interrupted, the next incarnation carries it out.
        self.standing.set(draft);
        self.stage.common.hub.chronicle.keep(config.history);
        self.teller.valid();
        self.teller.late(&late(&before.config, &config));
        let change = self.stage.turn_to(&config).await?;
        if news {
            self.stage.common.hub.tell(EventBody::ConfigApplied { change: change.clone() });
        }
        Ok(change)
    }

    async fn load(&self, draft: &Settings) -> Result<Outcome, Error> {
        let Settings { layers, edits, book, .. } = draft.clone();
        let read = move || layers.load(&edits, &book);
        let loaded = tokio::task::spawn_blocking(read).await;
        let loaded = loaded.map_err(|_| Error::Restarting { actor: "settings" })?;
        let sought = match &loaded {
            Ok(outcome) => &outcome.loaded.sought,
            Err(broken) => &broken.sought,
        };
        self.standing.sought.send_if_modified(|known| {
            let differ = known != sought;
            if differ {
                known.clone_from(sought);
            }
            differ
        });
        loaded.map_err(|Broken { problems, .. }| Error::Invalid(problems))
    }
}

/// What differs and is looked at only when the process starts.
fn late(before: &Config, now: &Config) -> Vec<&'static str> {
    let differ = [
        ("http", before.http != now.http),
        ("log", before.log != now.log),
        ("state_dir", before.state_dir != now.state_dir),
    ];
    differ.into_iter().filter_map(|(path, differs)| differs.then_some(path)).collect()
}
