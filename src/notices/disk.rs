//! What a person should know of the state database: it cannot say so itself while its disk refuses it.

use std::sync::Arc;

use tokio::sync::watch;

use crate::{
    model::{Code, Severity},
    notices::{desk::Desk, draft::Draft},
    state::{Cause, Condition, Opening, Salvaged, SalvagedTable, Store},
};

/// Follows the condition of the state database.
pub(super) struct Disk {
    conditions: watch::Receiver<Condition>,
    salvage: Option<Arc<Opening>>,
    looked: Looked,
}

/// Whether the condition was ever looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looked {
    Never,
    Once,
}

impl Disk {
    pub(super) fn new(store: &Store) -> Self {
        Self { conditions: store.watch(), salvage: None, looked: Looked::Never }
    }

    pub(super) fn changes(&self) -> watch::Receiver<Condition> {
        self.conditions.clone()
    }

    /// Says what the condition means, where it changed.
    pub(super) fn look(&mut self, desk: &Desk) {
        // A store that is gone changes no more.
        let changed = self.conditions.has_changed().unwrap_or(false);
        if !changed && self.looked == Looked::Once {
            return;
        }
        self.looked = Looked::Once;
        let condition = self.conditions.borrow_and_update().clone();
        match condition {
            Condition::Refusing { cause, since, .. } => {
                let (code, other) = match cause.cause() {
                    Cause::Full => (Code::DiskFull, Code::DiskTrouble),
                    _ => (Code::DiskTrouble, Code::DiskFull),
                };
                desk.clear(other, None);
                let message = format!("{cause}; nothing is kept since {since:.0}");
                desk.raise(Draft::new(code, Severity::Error).message(message).fix(cause.fix()));
            }
            Condition::Open { opening } => {
                desk.clear(Code::DiskTrouble, None);
                desk.clear(Code::DiskFull, None);
                let told = self.salvage.as_ref().is_some_and(|told| Arc::ptr_eq(told, &opening));
                if let Some(salvaged) = opening.salvaged.as_ref().filter(|_| !told) {
                    desk.raise(draft(salvaged));
                    self.salvage = Some(opening);
                }
            }
            Condition::Closed => {}
        }
    }
}

/// Waits for a change; without a store, or when it is gone, for ever.
pub(super) async fn changed(conditions: &mut Option<watch::Receiver<Condition>>) {
    let Some(conditions) = conditions else { return std::future::pending().await };
    if conditions.changed().await.is_err() {
        std::future::pending().await
    }
}

fn draft(salvaged: &Salvaged) -> Draft {
    let line = |table: &SalvagedTable| {
        let lost = table.lost.map_or("an unknown number".to_owned(), |n| n.to_string());
        format!("{}: {} rows kept, {lost} lost", table.table, table.kept)
    };
    let lines: Vec<_> = salvaged.tables.iter().map(line).collect();
    let message = format!("{}; the damaged file lies at {}", salvaged.damage, salvaged.aside.display());
    Draft::new(Code::StateSalvaged, Severity::Error).message(message).detail(lines.join("\n"))
}
