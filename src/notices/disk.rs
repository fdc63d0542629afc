//! What a person should know of the state database: it cannot say so itself while its disk refuses it.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

use crate::{
    model::{Code, Severity},
    notices::{desk::Desk, draft::Draft},
    state::{Cause, Condition, Opening, Salvaged, SalvagedTable, Store},
};

/// For how long a gap in the history is shown after the last write that was dropped.
const CALM: Duration = Duration::from_secs(600);

/// Follows the condition of the state database.
pub(super) struct Disk {
    conditions: watch::Receiver<Condition>,
    dropped: watch::Receiver<u64>,
    /// How many drops were told, and until when.
    told: (u64, Option<Instant>),
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
        Self {
            conditions: store.watch(),
            dropped: store.dropped(),
            told: (0, None),
            salvage: None,
            looked: Looked::Never,
        }
    }

    pub(super) fn changes(&self) -> Changes {
        Changes { conditions: self.conditions.clone(), dropped: self.dropped.clone() }
    }

    /// Says what there is to say now; answers when to look again even if nothing changes.
    pub(super) fn look(&mut self, desk: &Desk, now: Instant) -> Option<Instant> {
        self.look_at_condition(desk);
        self.look_at_drops(desk, now)
    }

    fn look_at_drops(&mut self, desk: &Desk, now: Instant) -> Option<Instant> {
        let (dropped, (told, until)) = (*self.dropped.borrow_and_update(), self.told);
        if dropped > told {
            let message = format!("{dropped} writes of history and notices were dropped since the start");
            let draft = Draft::new(Code::HistoryDropped, Severity::Warning).message(message);
            desk.raise(draft.times(dropped - told));
            self.told = (dropped, Some(now + CALM));
        } else if until.is_some_and(|until| until <= now) {
            desk.clear(Code::HistoryDropped, None);
            self.told = (dropped, None);
        }
        self.told.1
    }

    fn look_at_condition(&mut self, desk: &Desk) {
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

/// What of a store is waited for.
pub(super) struct Changes {
    conditions: watch::Receiver<Condition>,
    dropped: watch::Receiver<u64>,
}

/// Waits for a change; without a store, or when it is gone, for ever.
pub(super) async fn changed(changes: &mut Option<Changes>) {
    let Some(Changes { conditions, dropped }) = changes else { return std::future::pending().await };
    tokio::select! {
        Ok(()) = conditions.changed() => {}
        Ok(()) = dropped.changed() => {}
        else => std::future::pending().await,
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
