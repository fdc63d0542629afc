//! What was seen of a backend, in which session, and when.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{BackendStatus, Depth, Epoch, Identity};

/// What was seen of a backend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Observed {
    /// The session in which it was seen.
    pub(crate) epoch: Epoch,
    /// When it was looked at.
    pub(crate) at: Timestamp,
    /// How much of it was looked at in that session.
    pub(crate) depth: Depth,
    pub(crate) identity: Arc<Identity>,
}

impl Observed {
    /// What is known after a look. A sketch of a server whose version has not changed leaves what an earlier look knew
    /// in its place, with its age, until the whole look that follows: else each reconnect would make what it can do
    /// flicker.
    pub(crate) fn after(before: Option<&Self>, epoch: Epoch, seen: Arc<Identity>, at: Timestamp) -> Self {
        let depth = seen.depth;
        let same =
            |known: &&Self| known.identity.version == seen.version && known.identity.depth == Depth::Whole;
        match before.filter(same) {
            Some(known) if depth == Depth::Sketch => {
                Self { epoch, at: known.at, depth, identity: known.identity.clone() }
            }
            _ => Self { epoch, at, depth, identity: seen },
        }
    }

    /// Puts it where it is shown.
    pub(crate) fn show(&self, status: &mut BackendStatus) {
        let identity = &self.identity;
        status.observed_at = Some(self.at);
        status.version.clone_from(&identity.version);
        status.title.clone_from(&identity.title);
        status.capabilities.clone_from(&identity.capabilities);
        status.models = identity.models.clone();
        status.functions = identity.functions.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Capability;

    fn identity(version: &str, depth: Depth, model: &str) -> Arc<Identity> {
        Arc::new(Identity {
            version: Some(version.to_owned()),
            capabilities: vec![Capability::ImageGenerate],
            models: [model.to_owned()].into(),
            depth,
            ..Identity::default()
        })
    }

    #[test]
    fn a_sketch_of_the_same_server_hides_nothing_that_is_known() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let sketch = |version| identity(version, Depth::Sketch, "first");
        let first = Observed::after(None, Epoch::new(1), sketch("1.0"), at(1));
        assert_eq!((first.depth, &*first.identity.models), (Depth::Sketch, &["first".to_owned()][..]));
        let whole = Observed::after(Some(&first), Epoch::new(1), identity("1.0", Depth::Whole, "all"), at(2));
        assert_eq!((whole.depth, whole.at), (Depth::Whole, at(2)));
        let again = Observed::after(Some(&whole), Epoch::new(2), sketch("1.0"), at(3));
        assert_eq!((again.depth, again.at, again.epoch), (Depth::Sketch, at(2), Epoch::new(2)));
        assert_eq!(&*again.identity.models, ["all".to_owned()]);
        let third = Observed::after(Some(&again), Epoch::new(3), sketch("1.0"), at(4));
        assert_eq!(&*third.identity.models, ["all".to_owned()], "also the second time");
        let other = Observed::after(Some(&third), Epoch::new(4), sketch("1.1"), at(5));
        assert_eq!(&*other.identity.models, ["first".to_owned()], "another version is another server");
    }
}
