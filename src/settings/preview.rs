//! What a change would come to, before anybody makes it.

use serde::Serialize;

use crate::{
    config::{Problems, ValueChange, difference::changes},
    error::Error,
    settings::{
        Change, Edit,
        edit::Past,
        layers::{Broken, Outcome},
        standing::Settings,
    },
};

/// What a change would come to. Nothing has happened.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Preview {
    /// What keeps it from being made.
    pub problems: Problems,
    /// What works, and what a person should still look at.
    pub warnings: Problems,
    /// The values that would differ; none where there are problems.
    pub values: Vec<ValueChange>,
    /// What would become of the backends.
    pub backends: Change,
}

impl Preview {
    /// Of a change that is no change.
    #[cfg(feature = "dashboard")]
    pub(crate) fn refused(problems: Problems) -> Self {
        Self { problems, ..Self::default() }
    }

    /// Reads all layers: not for a task of the runtime.
    pub(crate) fn of(now: &Settings, edit: Edit) -> Result<Self, Error> {
        let edits = edit.over(&now.edits, &Past(&now.past))?;
        let before = now.loaded.as_ref().map(|loaded| loaded.values()).unwrap_or_default();
        Ok(match now.layers.load(&edits, &now.book) {
            Ok(Outcome { config, loaded, .. }) => Self {
                problems: Problems::default(),
                values: changes(&before, &loaded.values()),
                backends: Change::between(&now.config.backends, &config.backends),
                warnings: loaded.warnings,
            },
            Err(Broken { problems, .. }) => Self { problems, ..Self::default() },
        })
    }
}
