//! Who hears what came of the requests to a backend: the one seam through which its real traffic goes.

use std::{fmt, sync::Arc, time::Duration};

use crate::model::Fault;

/// Who hears what came of requests.
pub trait Witness: Send + Sync {
    /// A request came to an answer, or to none; `took` is the time to the head of the answer.
    fn hears(&self, outcome: Result<(), &Fault>, took: Duration);
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
    static TOLD_ELSEWHERE: ();
}

/// Does work whose outcome is told by whoever asked for it: a dial, a probe, a job. Its single requests are not heard.
pub(crate) async fn told_elsewhere<T>(work: impl Future<Output = T>) -> T {
    TOLD_ELSEWHERE.scope((), work).await
}

pub(super) fn is_told_elsewhere() -> bool {
    TOLD_ELSEWHERE.try_with(|()| ()).is_ok()
}
