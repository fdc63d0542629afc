//! The histories on disk: read once at the start, written in lazy batches.

use std::{collections::HashMap, sync::Arc};

use super::{
    memory::{Mark, Memory},
    reel::{Batch, Kept, News, Past},
    table,
};
use crate::{
    connection::{alarm::Task, slot::Slot},
    hub::Hub,
    model::BackendId,
    state::{Store, Trouble},
};

/// Ticks between two writes of samples: a row holds so many buckets the more. Steps and memories go with each.
const SAMPLES: u32 = 3;

/// What was read of earlier runs.
pub(crate) type Pasts = HashMap<BackendId, Past>;

/// The histories on disk.
pub(super) struct Archive {
    store: Store,
    hub: Arc<Hub>,
    reading: Option<Task>,
    /// Of backends that have not been seen in this run.
    pasts: Pasts,
    marks: HashMap<BackendId, Mark>,
    ticks: u32,
}

/// How much is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    WithoutSamples,
    All,
    /// The open buckets, too.
    Last,
}

impl Archive {
    pub(super) fn new(store: Store, hub: Arc<Hub>) -> Self {
        Self { store, hub, reading: None, pasts: HashMap::new(), marks: HashMap::new(), ticks: 0 }
    }

    /// Reads what earlier runs left, where that was not done yet, and tells `done`.
    pub(super) fn read(&mut self, done: impl FnOnce(Result<Pasts, Trouble>) + Send + 'static) {
        if self.hub.chronicle.was_read() || self.reading.is_some() {
            return;
        }
        let (store, run) = (self.store.clone(), self.hub.snapshot().run.clone());
        self.reading = Some(Task::spawn(async move {
            done(store.read("the histories of earlier runs", move |on| table::read(on, &run)).await);
        }));
    }

    /// What was read comes. After trouble with the disk it is read again at the next tick.
    pub(super) fn came(&mut self, pasts: Result<Pasts, Trouble>, slots: &[Arc<Slot>]) {
        self.reading = None;
        match pasts {
            Ok(pasts) => {
                self.hub.chronicle.read();
                self.pasts = pasts;
                self.hand_out(slots);
            }
            Err(trouble) => tracing::warn!(%trouble, "the histories of earlier runs are not read yet"),
        }
    }

    /// Writes what is new.
    pub(super) fn tick(&mut self, slots: &[Arc<Slot>]) {
        self.hand_out(slots);
        self.ticks = (self.ticks + 1) % SAMPLES;
        self.write(slots, if self.ticks == 0 { Part::All } else { Part::WithoutSamples });
    }

    /// Writes what is left: the store stops after this actor.
    pub(super) fn close(&mut self, slots: &[Arc<Slot>]) {
        self.write(slots, Part::Last);
    }

    /// Gives each backend its past, once. One that came later, from the API or from discovery, gets it then.
    fn hand_out(&mut self, slots: &[Arc<Slot>]) {
        if self.pasts.is_empty() {
            return;
        }
        for slot in slots {
            let Some(mut past) = self.pasts.remove(&slot.config.id) else { continue };
            if let Some(kept) = past.memory.take().filter(|kept| kept.is_of(slot)) {
                slot.record.update(|status| kept.memory.show(status));
                if let Some(since) = kept.memory.cordoned_at {
                    slot.cordon_again(since);
                }
                if let Some(known) = kept.memory.observed() {
                    slot.record.recall(Arc::new(known));
                }
            }
            self.hub.chronicle.absorb(&slot.config.id, &past);
        }
    }

    fn write(&mut self, slots: &[Arc<Slot>], part: Part) {
        let news: Vec<News> =
            slots.iter().map(|slot| self.news(slot, part)).filter(|n| !n.is_empty()).collect();
        if news.is_empty() && part != Part::All {
            return;
        }
        let chronicle = &self.hub.chronicle;
        let run = self.hub.snapshot().run.clone();
        let batch = Batch { run, now_ms: chronicle.now_ms(), keep: chronicle.kept(), news };
        self.store.later("the histories", move |on| table::write(on, &batch));
    }

    fn news(&mut self, slot: &Slot, part: Part) -> News {
        let id = &slot.config.id;
        let (reels, steps) = self
            .hub
            .chronicle
            .look(id, |chapter, now| {
                chapter.settle(now);
                if part == Part::Last {
                    chapter.tiers.close();
                }
                let reels = if part == Part::WithoutSamples { Vec::new() } else { chapter.tiers.take_new() };
                (reels, chapter.timeline.take_new())
            })
            .unwrap_or_default();
        let mark = slot.record.read(Mark::of);
        let memory = if self.marks.insert(id.clone(), mark) == Some(mark) {
            None
        } else {
            let observed = slot.record.observed();
            let memory = slot.record.read(|status| Memory::of(status, observed.as_deref()));
            memory.map(|memory| Kept::new(memory, slot))
        };
        News { backend: id.clone(), reels, steps, memory }
    }
}
