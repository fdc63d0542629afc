//! What waits for the webhook: pure, bounded, and honest about what it dropped.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use crate::model::{Code, Event, EventBody, Fault, notice::NoticeId};

/// Most that waits; beyond, the oldest is dropped.
pub(super) const MOST: usize = 64;
/// Attempts before one is dropped.
const TRIES: u32 = 8;
/// Before the second attempt; doubled each time.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// Open notices whose end is told.
const OPEN: usize = 4_000;

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Delivered,
    Failed,
    Dropped,
}

impl Told {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

/// What waits, in order, the first of which is tried until it is delivered or dropped.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Arc<Event>>,
    /// Notices that were told and have not ended.
    open: BTreeSet<NoticeId>,
    dropped: u64,
    tries: u32,
    not_before: Option<Instant>,
}

impl Outbox {
    /// Takes an event, where it is one to be told; how many others had to give way.
    pub(super) fn take(&mut self, event: Arc<Event>) -> u64 {
        let wanted = match &event.body {
            // Of itself it could not tell.
            EventBody::NoticeRaised(notice) | EventBody::NoticeCleared(notice)
                if notice.code == Code::WebhookFailing =>
            {
                false
            }
            EventBody::NoticeRaised(notice) => {
                while self.open.len() >= OPEN {
                    self.open.pop_first();
                }
                self.open.insert(notice.id)
            }
            EventBody::NoticeCleared(notice) => self.open.remove(&notice.id),
            _ => false,
        };
        if !wanted {
            return 0;
        }
        self.waiting.push_back(event);
        if self.waiting.len() <= MOST {
            return 0;
        }
        // The first may be on its way: the second gives way.
        self.waiting.remove(1);
        self.dropped += 1;
        1
    }

    /// The one to be sent now.
    pub(super) fn first(&self, now: Instant) -> Option<Arc<Event>> {
        let early = self.not_before.is_some_and(|at| now < at);
        self.waiting.front().filter(|_| !early).cloned()
    }

    /// When the next is to be sent, where one waits.
    pub(super) fn due(&self) -> Option<Instant> {
        self.not_before.filter(|_| !self.waiting.is_empty())
    }

    pub(super) fn delivered(&mut self) {
        self.waiting.pop_front();
        (self.tries, self.not_before) = (0, None);
    }

    /// The first could not be delivered: it is tried again later, or dropped.
    pub(super) fn failed(&mut self, fault: &Fault, now: Instant) -> Told {
        self.tries += 1;
        // What the server says no to, it will say no to again.
        let hopeless = fault.code() == Code::BadRequest;
        let wait = FIRST.saturating_mul(1 << (self.tries - 1).min(10)).min(LONGEST);
        self.not_before = Some(now + wait);
        if self.tries < TRIES && !hopeless {
            return Told::Failed;
        }
        self.waiting.pop_front();
        self.dropped += 1;
        self.tries = 0;
        Told::Dropped
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Notice, Severity};

    fn notice(id: u64, code: Code) -> Box<Notice> {
        Box::new(Notice {
            id: NoticeId::new(id),
            code,
            severity: Severity::Error,
            backend: None,
            subject: None,
            title: "t",
            message: String::new(),
            fix: String::new(),
            count: 1,
            first_at: Timestamp::UNIX_EPOCH,
            last_at: Timestamp::UNIX_EPOCH,
            cleared_at: None,
            detail: None,
            hidden: None,
        })
    }

    fn event(body: EventBody) -> Arc<Event> {
        Arc::new(Event { revision: 1, at: Timestamp::UNIX_EPOCH, body })
    }

    fn raised(id: u64) -> Arc<Event> {
        event(EventBody::NoticeRaised(notice(id, Code::Dns)))
    }

    fn cleared(id: u64) -> Arc<Event> {
        event(EventBody::NoticeCleared(notice(id, Code::Dns)))
    }

    #[test]
    fn a_notice_is_told_once_and_its_end_once() {
        let mut outbox = Outbox::default();
        for event in [raised(1), raised(1), cleared(1), cleared(1), cleared(2), raised(1)] {
            outbox.take(event);
        }
        let told: Vec<_> = outbox.waiting.iter().map(|event| event.body.name()).collect();
        assert_eq!(told, ["notice.raised", "notice.cleared", "notice.raised"]);
        outbox.take(event(EventBody::NoticeRaised(notice(3, Code::WebhookFailing))));
        assert_eq!(outbox.waiting(), 3);
    }

    #[test]
    fn what_is_too_much_is_dropped_and_counted_and_never_the_one_on_its_way() {
        let mut outbox = Outbox::default();
        let dropped: u64 = (0..MOST as u64 + 10).map(|id| outbox.take(raised(id))).sum();
        assert_eq!((outbox.waiting(), dropped, outbox.dropped()), (MOST, 10, 10));
        let ids: Vec<_> = outbox.waiting.iter().map(|event| format!("{:?}", event.body)).collect();
        assert!(ids[0].contains("NoticeId(0)") && ids[1].contains("NoticeId(11)"), "{:?}", &ids[..2]);
    }

    #[test]
    fn it_waits_longer_each_time_and_gives_one_up_after_eight() {
        let (mut outbox, mut now) = (Outbox::default(), Instant::now());
        outbox.take(raised(1));
        outbox.take(raised(2));
        let down = Fault::new(Code::ConnectionRefused, "x");
        let mut waits = Vec::new();
        while outbox.failed(&down, now) == Told::Failed {
            let due = outbox.due().unwrap();
            assert!(outbox.first(now).is_none());
            waits.push((due - now).as_secs());
            now = due;
            assert!(outbox.first(now).is_some());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60]);
        assert_eq!((outbox.waiting(), outbox.dropped()), (1, 1));
        assert_eq!(outbox.failed(&Fault::new(Code::BadRequest, "no"), now), Told::Dropped);
    }
}
