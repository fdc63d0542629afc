//! Documents that many readers get are written once: a snapshot each revision, an event each event.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use serde::Serialize;

use crate::model::{Event, Snapshot};

/// Events that are kept as they were written: as many as a reader may be behind.
const EVENTS: usize = 1024;

/// What was written last.
#[derive(Default)]
pub(crate) struct Press {
    snapshot: ArcSwapOption<Printed>,
    events: Mutex<VecDeque<(u64, Bytes)>>,
}

struct Printed {
    /// What it is the text of; while it is held, no other snapshot has its place in memory.
    of: Arc<Snapshot>,
    text: Bytes,
}

impl Press {
    /// A snapshot as JSON.
    pub(crate) fn snapshot(&self, snapshot: &Arc<Snapshot>) -> Bytes {
        if let Some(printed) = &*self.snapshot.load()
            && Arc::ptr_eq(&printed.of, snapshot)
        {
            return printed.text.clone();
        }
        let text = json(&**snapshot);
        self.snapshot.store(Some(Arc::new(Printed { of: snapshot.clone(), text: text.clone() })));
        text
    }

    /// An event as a frame of the stream of a run.
    pub(crate) fn event(&self, run: &str, event: &Event) -> Bytes {
        let revision = event.revision;
        if let Some(frame) = find(&self.lock(), revision) {
            return frame;
        }
        let name = event.body.name();
        let head = format!("id: {run}-{revision}\nevent: {name}\ndata: ");
        let frame = Bytes::from([head.as_bytes(), &json(event), b"\n\n"].concat());
        let mut events = self.lock();
        if find(&events, revision).is_none() {
            if events.len() == EVENTS {
                events.pop_front();
            }
            let place = events.partition_point(|(known, _)| *known < revision);
            events.insert(place, (revision, frame.clone()));
        }
        frame
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, Bytes)>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(events: &VecDeque<(u64, Bytes)>, revision: u64) -> Option<Bytes> {
    let place = events.binary_search_by_key(&revision, |(known, _)| *known).ok()?;
    Some(events[place].1.clone())
}

/// One line: JSON has no line break that is not escaped.
fn json(document: &impl Serialize) -> Bytes {
    match serde_json::to_vec(document) {
        Ok(text) => text.into(),
        Err(error) => {
            tracing::error!(%error, "a document could not be written");
            Bytes::from_static(b"null")
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{hub::Hub, model::EventBody};

    #[test]
    fn a_snapshot_is_written_once_and_an_event_once_for_all_readers() {
        let hub = Hub::new(backline_supervisors::TreeSnapshot::down("root"));
        let press = Press::default();
        let (one, same) = (press.snapshot(&hub.snapshot()), press.snapshot(&hub.snapshot()));
        assert_eq!(one.as_ptr(), same.as_ptr());
        hub.set_backends(Vec::new());
        assert_ne!(press.snapshot(&hub.snapshot()).as_ptr(), one.as_ptr());
        let event = |revision| Event {
            revision,
            at: Timestamp::UNIX_EPOCH,
            body: EventBody::TreeQuarantined { child: "a\nb".to_owned(), reason: String::new() },
        };
        // A reader that comes back asks for old ones beside new ones.
        let frames: Vec<_> = [5, 3, 4].iter().map(|n| press.event("r", &event(*n))).collect();
        for (revision, frame) in [5, 3, 4].into_iter().zip(&frames) {
            assert_eq!(press.event("r", &event(revision)).as_ptr(), frame.as_ptr());
        }
        let text = String::from_utf8(frames[1].to_vec()).unwrap();
        assert!(text.starts_with("id: r-3\nevent: tree.quarantined\ndata: {\"revision\":3,"), "{text}");
        assert_eq!(text.matches('\n').count(), 4, "{text}");
        for revision in 6..6 + 2 * EVENTS as u64 {
            press.event("r", &event(revision));
        }
        assert_eq!(press.lock().len(), EVENTS);
    }
}
