//! The server's queue, history and memory in the caller's hands: what concerns one prompt, never all of them.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    backends::comfyui::{
        cancel::post,
        history::Entry,
        queue::{Place, Queue, Queued},
        session::Session,
    },
    model::{Code, Fault},
    net::body,
};

/// What is queued, in the order in which it runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Queues {
    /// What runs: one prompt, in every version so far.
    pub running: Vec<Queued>,
    /// What waits, the next first.
    pub pending: Vec<Queued>,
}

/// What is given back to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Free {
    /// The models leave the card; what nodes computed stays.
    Models,
    /// The models, and what nodes computed: the next prompt begins from nothing.
    Everything,
}

#[derive(Serialize)]
struct Freed {
    unload_models: bool,
    free_memory: bool,
}

#[derive(Serialize)]
struct Delete<'a> {
    delete: [&'a str; 1],
}

#[derive(Serialize)]
struct Interrupt<'a> {
    prompt_id: &'a str,
}

impl Session {
    /// What is queued, also by others. The answer holds every queued workflow whole, and is read at most 64 MiB far;
    /// the workflows are skipped.
    ///
    /// # Errors
    /// The network's faults; [`Code::TooLarge`], [`Code::Protocol`].
    ///
    /// # Cancel safety
    /// Safe: it changes nothing.
    pub async fn queue(&self) -> Result<Queues, Fault> {
        let queue: Queue = self.get("queue", body::LIST_CAP).await?;
        let (running, pending) = queue.in_order();
        Ok(Queues { running, pending })
    }

    /// What the server remembers of an ended prompt; `None` for one that is unknown, waits or runs, was deleted while it
    /// waited, or ended before the server's last start (0.3.64 and 0.24.0 keep 10 000, in memory).
    ///
    /// # Errors
    /// As [`Self::queue`].
    ///
    /// # Cancel safety
    /// Safe: it changes nothing.
    pub async fn history(&self, id: &str) -> Result<Option<Entry>, Fault> {
        self.history_of(checked(id)?).await
    }

    /// The ids of the last prompts that ended, at most so many, the oldest first.
    ///
    /// # Errors
    /// As [`Self::queue`].
    ///
    /// # Cancel safety
    /// Safe: it changes nothing.
    pub async fn recent(&self, most: u32) -> Result<Vec<String>, Fault> {
        let most = most.to_string();
        let url = self.http().address().url_with("history", &[("max_items", &most)]);
        let history: indexmap::IndexMap<String, serde::de::IgnoredAny> =
            body::typed("history", &self.bytes_of(url, body::LIST_CAP).await?)?;
        Ok(history.into_keys().collect())
    }

    /// Interrupts a prompt that runs, and no other.
    ///
    /// Servers that know the id in `/interrupt` (0.3.64 and 0.24.0 do) leave every other prompt alone. An older one
    /// ignores it and stops whatever runs: so it is sent only while `/queue` shows the prompt running.
    ///
    /// # Errors
    /// [`Code::NotFound`] where it does not run: nothing was sent then. Else as [`Self::queue`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves it open whether the server was told.
    pub async fn interrupt(&self, id: &str) -> Result<(), Fault> {
        match self.place_of(checked(id)?).await? {
            Place::Running => post(self, "interrupt", &Interrupt { prompt_id: id }).await,
            Place::Pending(_) => Err(elsewhere(id, "waits", "`delete_pending` takes it out of the queue.")),
            Place::Absent => {
                Err(elsewhere(id, "is not in the queue", "`history` tells how it ended, if it did."))
            }
        }
    }

    /// Takes a prompt that waits out of the queue. It then leaves no trace: history never has it.
    ///
    /// # Errors
    /// [`Code::NotFound`] where it does not wait: nothing was sent then. Else as [`Self::queue`].
    ///
    /// # Cancel safety
    /// As [`Self::interrupt`].
    pub async fn delete_pending(&self, id: &str) -> Result<(), Fault> {
        match self.place_of(checked(id)?).await? {
            Place::Pending(_) => post(self, "queue", &Delete { delete: [id] }).await,
            Place::Running => Err(elsewhere(id, "runs already", "`interrupt` stops it.")),
            Place::Absent => {
                Err(elsewhere(id, "is not in the queue", "`history` tells how it ended, if it did."))
            }
        }
    }

    /// Asks the server to give memory back, once what runs has ended. It answers before it has (0.3.64, 0.24.0).
    ///
    /// # Errors
    /// As [`Self::queue`].
    ///
    /// # Cancel safety
    /// As [`Self::interrupt`].
    pub async fn free(&self, what: Free) -> Result<(), Fault> {
        post(self, "free", &Freed { unload_models: true, free_memory: what == Free::Everything }).await
    }

    /// What a class of nodes takes and gives, as the server describes it; `None` for a class that it has not.
    ///
    /// # Errors
    /// As [`Self::queue`]; [`Code::BadRequest`] for a name that no class has.
    ///
    /// # Cancel safety
    /// Safe: it changes nothing.
    pub async fn object_info(&self, class: &str) -> Result<Option<Box<RawValue>>, Fault> {
        if class.is_empty() || class.contains(['/', '\\', '?', '#']) || class.chars().any(char::is_control) {
            return Err(Fault::new(Code::BadRequest, "this is no name of a class of nodes"));
        }
        let path = format!("object_info/{class}");
        let mut found: indexmap::IndexMap<String, Box<RawValue>> = self.get(&path, body::JSON_CAP).await?;
        Ok(found.swap_remove(class))
    }
}

fn elsewhere(id: &str, where_it_is: &str, fix: &str) -> Fault {
    Fault::new(Code::NotFound, format!("the prompt {id} {where_it_is}")).with_fix(fix)
}

/// An id is one step of a path, and no step of another kind.
pub(super) fn checked(id: &str) -> Result<&str, Fault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !id.is_empty() && id.len() <= 128 && id.chars().all(plain) {
        return Ok(id);
    }
    Err(Fault::new(Code::BadRequest, "this is no id of a prompt").with_fix("Give the `prompt_id`, a UUID."))
}
