//! What the jobs' actor has done beside it: reading what earlier runs left, and keeping the journal within its bounds.

use std::time::Duration;

use ractor::ActorRef;

use crate::jobs::{actor::Msg, setup::Setup, shelf::REMEMBERED};

/// Between sweeps of the journal.
const SWEEP: Duration = Duration::from_secs(600);
/// Between tries to read it.
const AGAIN: Duration = Duration::from_secs(1);

/// Reads what earlier runs left, once their backends are there again; as often as the disk needs.
pub(super) async fn load(mut setup: Setup, myself: ActorRef<Msg>) {
    if !setup.journal.is_durable() {
        return;
    }
    // A supervisor that is gone settles nothing.
    let _ = setup.settled.wait_for(|settled| *settled).await;
    loop {
        setup.journal.well().await;
        match setup.journal.load(REMEMBERED as u32).await {
            Ok(loaded) => {
                let _ = myself.cast(Msg::Loaded(loaded));
                return;
            }
            Err(trouble) => tracing::warn!(%trouble, "the jobs of earlier runs could not be read yet"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Keeps the journal within its bounds.
pub(super) async fn sweep_now_and_then(setup: Setup) {
    loop {
        tokio::time::sleep(SWEEP).await;
        match setup.journal.sweep().await {
            Ok(swept) => setup.clear(&swept).await,
            Err(trouble) => tracing::warn!(%trouble, "old jobs could not be erased"),
        }
        if let Some(inputs) = &setup.inputs {
            inputs.collect(&setup.journal).await;
        }
    }
}
