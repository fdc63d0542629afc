//! Who hears what came of the requests to a backend: the one seam through which its real traffic goes.

use std::{fmt, sync::Arc, time::Duration};

use crate::model::Fault;

/// Who hears what came of requests.
pub trait Witness: Send + Sync {
    /// A request came to an answer, or to none; `took` is the time to the head of the answer. Of checks nothing is
    /// heard.
    fn hears(&self, errand: Errand, outcome: Result<(), &Fault>, took: Duration);

    /// An answer says that the request was not understood: what is known of the backend may be out of date.
    fn wonders(&self, errand: Errand);
}

/// What a request is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Errand {
    /// For whoever holds a session: nobody else tells what came of it.
    Lease,
    /// For a job, which tells itself what came of it.
    Job,
    /// To see how the backend is: a dial, a probe, a look at what it offers.
    Check,
}

/// A witness among the settings of a client.
#[derive(Clone)]
pub struct Sworn(pub Arc<dyn Witness>);

impl fmt::Debug for Sworn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sworn")
    }
}

tokio::task_local! {
    static ERRAND: Errand;
}

/// Looks at a backend: a dial, a probe, a look at what it offers. Whoever asked for that tells what came of it, and its
/// single requests are not heard.
pub(crate) async fn told_elsewhere<T>(check: impl Future<Output = T>) -> T {
    ERRAND.scope(Errand::Check, check).await
}

/// Does the work of a job.
pub(crate) async fn for_a_job<T>(work: impl Future<Output = T>) -> T {
    ERRAND.scope(Errand::Job, work).await
}

/// What the requests of this task are made for.
pub(super) fn errand() -> Errand {
    ERRAND.try_with(|errand| *errand).unwrap_or(Errand::Lease)
}
