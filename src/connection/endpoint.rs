//! One address, however many connections go there: they share what is known of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit, watch},
    time::Instant,
};

use crate::{
    connection::backoff::{Backoff, Pacing},
    model::{Class, Fault},
};

/// Dials at once to one address that is known to be there.
const AT_ONCE: usize = 32;
/// Longest time between two looks at an address that is away, for the first while.
const LOOK: Duration = Duration::from_millis(50);
/// How long one that does not look itself waits for one that does.
const FOLLOW: Duration = Duration::from_secs(5);

/// One address. While nothing listens there, one connection looks whether it is back; the others learn of it, and dial
/// 32 at once: a thousand that each look for themselves are a thousand dials for nothing, and then a herd.
pub(crate) struct Endpoint {
    known: Mutex<Known>,
    /// Held by the one that looks.
    scouting: tokio::sync::Mutex<()>,
    dials: Semaphore,
    /// Moves when it is found back.
    back: watch::Sender<u64>,
}

enum Known {
    Up,
    /// Since a dial failed. `look` is when somebody may look again.
    Away {
        fault: Fault,
        look: Instant,
        backoff: Backoff,
    },
}

/// The right to dial.
pub(crate) struct Turn<'a> {
    endpoint: &'a Endpoint,
    _scout: Option<tokio::sync::MutexGuard<'a, ()>>,
    _permit: SemaphorePermit<'a>,
}

impl Endpoint {
    fn new() -> Self {
        Self {
            known: Mutex::new(Known::Up),
            scouting: tokio::sync::Mutex::new(()),
            dials: Semaphore::new(AT_ONCE),
            back: watch::Sender::new(0),
        }
    }

    /// The right to dial. While another one looks, it waits for what that one finds, at most 5 s: then it fails with
    /// what was found last.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, Fault> {
        let patience = Instant::now() + FOLLOW;
        let mut back = self.back.subscribe();
        loop {
            back.borrow_and_update();
            if self.away().is_none() {
                let Ok(permit) = self.dials.acquire().await else {
                    unreachable!("the semaphore is never closed");
                };
                // Whoever waited for the permit may have learned better meanwhile.
                if self.away().is_none() {
                    return Ok(Turn { endpoint: self, _scout: None, _permit: permit });
                }
                continue;
            }
            tokio::select! {
                // The sender lives in this very endpoint.
                _ = back.changed() => {}
                turn = self.scout() => return Ok(turn),
                () = tokio::time::sleep_until(patience) => {
                    if let Some((fault, _)) = self.away() {
                        return Err(fault);
                    }
                }
            }
        }
    }

    /// Whether it was found back once: then a dial is no shot in the dark.
    pub(crate) fn is_proven(&self) -> bool {
        *self.back.borrow() > 0
    }

    /// The right to be the one that looks, once it is time.
    async fn scout(&self) -> Turn<'_> {
        let scout = self.scouting.lock().await;
        while let Some((_, look)) = self.away()
            && look > Instant::now()
        {
            tokio::time::sleep_until(look).await;
        }
        let Ok(permit) = self.dials.acquire().await else { unreachable!("the semaphore is never closed") };
        Turn { endpoint: self, _scout: Some(scout), _permit: permit }
    }

    /// Why it is away, and when somebody may look again.
    fn away(&self) -> Option<(Fault, Instant)> {
        match &*self.lock() {
            Known::Away { fault, look, .. } => Some((fault.clone(), *look)),
            Known::Up => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Tells what came of the dial. Without a word it was one that told nothing.
    pub(crate) fn told(self, outcome: Result<(), &Fault>, pacing: Pacing) {
        let now = Instant::now();
        let mut known = self.endpoint.lock();
        let fault = outcome.err().filter(|fault| is_away(fault));
        match (fault, &mut *known) {
            (Some(fault), Known::Away { fault: last, look, backoff }) => {
                last.clone_from(fault);
                // On this machine a look costs nothing at first, and many wait for it.
                let wait = backoff.next_wait(now);
                *look = now + if wait <= Duration::from_millis(100) { wait.min(LOOK) } else { wait };
            }
            (Some(fault), Known::Up) => {
                let backoff = Backoff::new(pacing, fastrand::u64(..));
                *known = Known::Away { fault: fault.clone(), look: now + LOOK, backoff };
            }
            (None, Known::Up) => {}
            // Whatever answered, somebody is there.
            (None, Known::Away { .. }) => {
                *known = Known::Up;
                self.endpoint.back.send_modify(|times| *times += 1);
            }
        }
    }
}

fn is_away(fault: &Fault) -> bool {
    matches!(fault.class(), Class::Unreachable | Class::Timeout)
}

/// The addresses of one supervisor.
#[derive(Default)]
pub(crate) struct Endpoints(Mutex<HashMap<String, Weak<Endpoint>>>);

impl Endpoints {
    /// The endpoint of an address; gone with the last who has it.
    pub(crate) fn at(&self, authority: &str) -> Arc<Endpoint> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(endpoint) = known.get(authority).and_then(Weak::upgrade) {
            return endpoint;
        }
        known.retain(|_, endpoint| endpoint.strong_count() > 0);
        let endpoint = Arc::new(Endpoint::new());
        known.insert(authority.to_owned(), Arc::downgrade(&endpoint));
        endpoint
    }
}
