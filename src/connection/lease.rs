//! The right to use a session now.

use std::{fmt, ops::Deref, sync::Arc};

use crate::{
    backends::Session,
    error::Error,
    model::{BackendId, Epoch},
    pool::{Ask, outcome::Outcome, pass::Pass},
};

/// The right to use a session now; dropping it gives the slot back.
///
/// It is made for the length of one piece of work. When the session ends under it, its operations fail at once with
/// the cause, and a new lease waits for the next session.
#[must_use = "a lease that is dropped gives its slot back at once"]
pub struct Lease<S: Session + ?Sized> {
    session: Arc<S>,
    pass: Pass,
}

impl Lease<dyn Session> {
    pub(crate) fn new(pass: Pass) -> Self {
        Self { session: pass.session().clone(), pass }
    }

    /// The lease on a session of a known type.
    ///
    /// # Errors
    /// [`Error::WrongKind`] where the backend speaks another protocol.
    pub fn of<S: Session>(self, wanted: &'static str) -> Result<Lease<S>, Error> {
        let (backend, is) = (self.session.backend().clone(), self.session.kind());
        match self.session.downcast() {
            Ok(session) => Ok(Lease { session, pass: self.pass }),
            Err(_) => Err(Error::WrongKind { backend, is, wanted }),
        }
    }
}

impl<S: Session + ?Sized> Lease<S> {
    /// The backend.
    pub fn backend(&self) -> &BackendId {
        self.session.backend()
    }

    /// Which session it is.
    pub fn epoch(&self) -> Epoch {
        self.pass.epoch()
    }

    /// Why this backend was chosen, and why not the others of its pool, as it was then.
    pub fn routed(&self) -> String {
        self.pass.routed()
    }

    /// Tells what came of what it was for.
    pub(crate) fn report(&self, outcome: &Outcome) {
        self.pass.report(outcome);
    }

    /// Notes the model that it was used with.
    pub(crate) fn worked_with(&self, model: &str) {
        self.pass.worked_with(model);
    }

    /// As [`Self::routed`], for what was asked.
    pub(crate) fn routed_for(&self, ask: &Ask) -> String {
        self.pass.routed_for(ask)
    }

    /// The session, for work that outlives the borrow; the slot stays taken only as long as the lease lives.
    pub fn session(&self) -> &Arc<S> {
        &self.session
    }
}

impl<S: Session + ?Sized> Deref for Lease<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.session
    }
}

impl<S: Session + ?Sized> fmt::Debug for Lease<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("backend", self.backend())
            .field("epoch", &self.epoch())
            .finish_non_exhaustive()
    }
}
