//! What a person is told about the settings: notices, and lines in the log.

use crate::{
    config::Problems,
    error::Error,
    model::{Code, notice::Severity},
    notices::{Desk, Draft},
    settings::{
        adopt::News,
        book::{Proposal, Why},
        masked::Masked,
    },
};

/// Tells a person.
pub(crate) struct Teller(pub(crate) Desk);

impl Teller {
    /// The configuration before stays.
    pub(crate) fn invalid(&self, problems: &Problems) {
        let count = problems.len();
        tracing::warn!(count, first = ?problems.iter().next().map(ToString::to_string), "the configuration is not valid");
        let text = match count {
            1 => "the changed configuration has a problem; the one before stays in force".to_owned(),
            _ => format!("the changed configuration has {count} problems; the one before stays in force"),
        };
        self.0.raise(
            Draft::new(Code::ConfigInvalid, Severity::Error).message(text).detail(problems.to_string()),
        );
    }

    /// The layers are in order.
    pub(crate) fn valid(&self) {
        self.0.clear(Code::ConfigInvalid, None);
    }

    /// What counts only from the next start on.
    pub(crate) fn late(&self, paths: &[&str]) {
        if !paths.is_empty() {
            tracing::warn!(?paths, "what changed there takes effect at the next start");
        }
    }

    /// What changed in the file and counts for nothing. Names from the last change are taken back.
    pub(crate) fn masked(&self, masked: &[Masked]) {
        for Masked { path, by } in masked {
            let text = format!("`{path}` changed in the file, and has no effect: {by} stands over it");
            let draft = Draft::new(Code::ConfigMasked, Severity::Warning).subject(path).message(text);
            self.0.raise(draft);
        }
    }

    /// What could not be kept, or carried out, of something that nobody waits for.
    pub(crate) fn failed(&self, what: &str, error: &Error) {
        tracing::warn!(%error, fix = error.fix(), "{what}");
    }

    /// What a sweep came to.
    pub(crate) fn found(&self, news: &[News], before: &[Proposal], now: &[Proposal]) {
        for one in news {
            match one {
                News::Adopted { id, at } => tracing::info!(%id, %at, "a backend was found and adopted"),
                News::Moved { id, from, to } => tracing::info!(%id, %from, %to, "a backend moved"),
                News::Offered { id, from, to } => {
                    let text = format!("nothing answers at {from}, and a server like it runs at {to}");
                    let fix = format!("If it is the same, set the `url` of `{id}` to {to}.");
                    let draft = Draft::new(Code::BackendMoved, Severity::Warning).backend(id.clone());
                    self.0.raise(draft.subject(to.to_string()).message(text).fix(fix));
                }
            }
        }
        for proposal in now.iter().filter(|proposal| !before.contains(proposal)) {
            self.propose(proposal);
        }
        let stands = |old: &Proposal| now.iter().any(|proposal| proposal.find.url == old.find.url);
        for old in before.iter().filter(|old| !stands(old)) {
            self.0.clear_subject(Code::BackendFound, None, &old.find.url.to_string());
        }
    }

    fn propose(&self, proposal: &Proposal) {
        let Proposal { find, id, why } = proposal;
        // The same server is offered as the new address of that backend.
        if let Why::MayBe(_) = why {
            return;
        }
        let text = format!("a {} runs at {} and is no backend", find.kind.title(), find.url);
        let fix = format!("Add it as `{id}` where it is wanted.");
        let draft = Draft::new(Code::BackendFound, Severity::Info).subject(find.url.to_string());
        self.0.raise(draft.message(text).fix(fix));
    }
}
