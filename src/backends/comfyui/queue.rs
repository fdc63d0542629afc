//! What `/queue` says of a job.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, SeqAccess, Visitor},
};

/// The answer to `/queue`. Its entries hold whole workflows, which are skipped as they are read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Queue {
    #[serde(default)]
    queue_running: Vec<Ticket>,
    #[serde(default)]
    queue_pending: Vec<Ticket>,
}

/// Where a job stands in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Running,
    /// How many are before it, the running one not counted.
    Pending(u64),
    Absent,
}

/// One prompt as the server queues it: number, id, graph, extra data, nodes with outputs, and what versions add.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ticket {
    /// Decides the order.
    number: f64,
    id: String,
    /// The nodes whose outputs are wanted.
    pub(super) wanted: Vec<String>,
}

/// One prompt that is queued.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Queued {
    /// Its id.
    pub id: String,
    /// Decides the order: the lowest runs next. It counts up from 0 at each start of the server.
    pub number: f64,
    /// The nodes whose outputs are wanted.
    pub outputs: Vec<String>,
}

impl Queue {
    /// What runs and what waits, each in order.
    pub(super) fn in_order(self) -> (Vec<Queued>, Vec<Queued>) {
        let show = |tickets: Vec<Ticket>| {
            let shown = tickets.into_iter().map(|t| Queued { id: t.id, number: t.number, outputs: t.wanted });
            let mut shown: Vec<_> = shown.collect();
            // The pending list is a heap, not sorted.
            shown.sort_by(|a, b| a.number.total_cmp(&b.number));
            shown
        };
        (show(self.queue_running), show(self.queue_pending))
    }

    /// Where a job stands.
    pub(super) fn place_of(&self, id: &str) -> Place {
        if self.queue_running.iter().any(|t| t.id == id) {
            return Place::Running;
        }
        let Some(own) = self.queue_pending.iter().find(|t| t.id == id) else { return Place::Absent };
        // The pending list is a heap, not sorted.
        let before = self.queue_pending.iter().filter(|t| t.number < own.number).count();
        Place::Pending(before as u64)
    }
}

impl<'de> Deserialize<'de> for Ticket {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Ticket;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list that begins with a number and an id")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ticket, A::Error> {
                let number = list.next_element()?.ok_or_else(|| A::Error::missing_field("number"))?;
                let id = list.next_element()?.ok_or_else(|| A::Error::missing_field("prompt_id"))?;
                list.next_element::<IgnoredAny>()?;
                list.next_element::<IgnoredAny>()?;
                let wanted = list.next_element()?.unwrap_or_default();
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Ticket { number, id, wanted })
            }
        }
        deserializer.deserialize_seq(List)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_found_by_its_number_not_by_its_place_in_the_list() {
        let json = r#"{"queue_running":[[3,"r",{"1":{}},{"client_id":"c"},["9"]]],
            "queue_pending":[[4,"a",{},{},[]],[9,"c",{},{},[]],[-2,"front",{},{},[]],[5,"b",{},{},[],{"x":1}]]}"#;
        let queue: Queue = serde_json::from_str(json).unwrap();
        assert_eq!(queue.place_of("r"), Place::Running);
        assert_eq!(queue.place_of("front"), Place::Pending(0));
        assert_eq!(queue.place_of("a"), Place::Pending(1));
        assert_eq!(queue.place_of("b"), Place::Pending(2));
        assert_eq!(queue.place_of("c"), Place::Pending(3));
        assert_eq!(queue.place_of("x"), Place::Absent);
    }
}
