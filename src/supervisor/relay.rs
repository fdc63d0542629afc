//! From the tree to the hub: its shape, its crashes.

use std::sync::Arc;

use backline_supervisors::{NodeState, TreeEvent, TreeEventKind};
use tokio::sync::broadcast::error::RecvError;

use crate::{connection::alarm::Task, hub::Hub, model::EventBody, tree::Tree};

/// Publishes what happens in the tree, until it is dropped.
pub(super) fn start(tree: &Tree, hub: &Arc<Hub>) -> Task {
    let (tree, hub) = (tree.clone(), hub.clone());
    let mut events = tree.bus.events();
    let mut changes = tree.bus.changes();
    Task::spawn(async move {
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(event) => tell(&hub, &tree, &event),
                    // The shape below says what was missed.
                    Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "events of the tree were missed"),
                    Err(RecvError::Closed) => return,
                },
                changed = changes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
            }
            let mut shown = tree.root.snapshot();
            // A root has no parent that could restart it: it runs, or it has ended.
            if shown.state == NodeState::Down && shown.children.iter().any(|c| c.incarnation > 0) {
                shown.state = NodeState::Ended;
            }
            hub.set_tree(Arc::new(shown));
        }
    })
}

fn tell(hub: &Hub, tree: &Tree, event: &TreeEvent) {
    let child = if event.supervisor.as_ref() == tree.root.id() {
        event.child.to_string()
    } else {
        format!("{}/{}", event.supervisor, event.child)
    };
    match &event.kind {
        TreeEventKind::Exited(exit) if exit.is_abnormal() => {
            let branch =
                if event.supervisor.as_ref() == tree.root.id() { &tree.root } else { &tree.backends };
            let restarts = branch.snapshot().child(&event.child).map_or(0, |c| c.restarts);
            tracing::error!(%child, %exit, "an actor crashed");
            hub.meter.restarted(&child);
            hub.tell(EventBody::TreeCrash { child, exit: exit.to_string(), restarts });
        }
        TreeEventKind::Quarantined(exit) => {
            tracing::error!(%child, %exit, "an actor is quarantined");
            hub.tell(EventBody::TreeQuarantined { child, reason: exit.to_string() });
        }
        _ => {}
    }
}
