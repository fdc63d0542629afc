//! When a change is published.
#![allow(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::{
    config::BackendConfig,
    connection::record::Record,
    model::{Kind, Phase},
    net::Address,
};

/// A hub with these backends, and the records that write to it.
fn hub(ids: &[&str]) -> (Arc<Hub>, Vec<Record>) {
    let hub = Arc::new(Hub::new(TreeSnapshot::down("root")));
    let config = |id: &&str| BackendConfig::new(id.parse().unwrap(), Kind::Comfyui, Address::loopback(1));
    let records: Vec<_> = ids.iter().map(|id| Record::new(&config(id), hub.clone())).collect();
    hub.set_backends(records.iter().map(Record::shown).collect());
    (hub, records)
}

fn checked(record: &Record, rate: f64) {
    record.note(|status| status.success_rate = Some(rate));
}

#[tokio::test(start_paused = true)]
async fn figures_alone_are_published_once_a_second() {
    let (hub, records) = hub(&["a", "b"]);
    let mut cell = hub.watch();
    tokio::time::advance(FIGURES).await;
    cell.mark_unchanged();
    checked(&records[0], 0.5);
    assert!(cell.has_changed().unwrap(), "the first after a second of rest is shown at once");
    cell.mark_unchanged();
    checked(&records[1], 0.25);
    hub.settle();
    assert!(!cell.has_changed().unwrap(), "the next waits");
    tokio::time::advance(FIGURES).await;
    hub.settle();
    let rates = cell.borrow_and_update().backends.iter().map(|b| b.success_rate).collect::<Vec<_>>();
    assert_eq!(rates, [Some(0.5), Some(0.25)]);
    tokio::time::advance(FIGURES).await;
    hub.settle();
    assert!(!cell.has_changed().unwrap(), "what was shown is not shown again");
}

#[tokio::test(start_paused = true)]
async fn what_is_more_than_a_figure_is_published_at_once_and_takes_the_figures_along() {
    let (hub, records) = hub(&["a", "b"]);
    let mut events = hub.events();
    checked(&records[0], 0.5);
    records[1].note(|status| status.phase = Phase::Ready);
    assert!(matches!(events.try_recv().unwrap().body, EventBody::BackendPhase { .. }));
    let shown = hub.snapshot();
    assert_eq!((shown.backends[0].success_rate, shown.backends[1].phase), (Some(0.5), Phase::Ready));
    records[0].update(|status| status.success_rate = Some(1.0));
    assert_eq!(hub.snapshot().backends[0].success_rate, Some(1.0));
}
