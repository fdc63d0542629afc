//! The actor that keeps the histories, and the metrics, in shape: one coarse tick for all backends.

use std::{sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::Instant;

#[cfg(feature = "state")]
use super::archive::{Archive, Pasts};
use crate::{
    connection::{alarm::Alarm, slot::Slot},
    hub::Hub,
    roster::Roster,
    state::Store,
};

/// Between ticks. Samples do not wait for it: it ages, and shows what changed.
const TICK: Duration = Duration::from_secs(10);

pub(crate) enum Msg {
    Tick,
    /// What earlier runs left.
    #[cfg(feature = "state")]
    Past(Result<Pasts, crate::state::Trouble>),
}

/// The actor.
pub(crate) struct Historian;

pub(crate) struct Setup {
    pub(crate) roster: Arc<Roster>,
    pub(crate) hub: Arc<Hub>,
    /// Where histories are kept over restarts.
    pub(crate) store: Option<Store>,
}

pub(crate) struct State {
    myself: ActorRef<Msg>,
    setup: Setup,
    alarm: Alarm,
    #[cfg(feature = "state")]
    archive: Option<Archive>,
}

impl Actor for Historian {
    type Msg = Msg;
    type State = State;
    type Arguments = Setup;

    async fn pre_start(&self, myself: ActorRef<Msg>, setup: Setup) -> Result<State, ActorProcessingErr> {
        Ok(State {
            myself,
            alarm: Alarm::default(),
            #[cfg(feature = "state")]
            archive: setup.store.clone().map(|store| Archive::new(store, setup.hub.clone())),
            setup,
        })
    }

    async fn post_start(&self, _: ActorRef<Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.read();
        state.set_alarm();
        Ok(())
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, state: &mut State) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Tick => state.tick(),
            #[cfg(feature = "state")]
            Msg::Past(pasts) => state.past(pasts),
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.close();
        Ok(())
    }
}

impl State {
    fn tick(&mut self) {
        let slots = self.setup.roster.slots();
        slots.iter().for_each(|slot| self.show(slot));
        self.setup.hub.meter.keep_up();
        self.keep(&slots);
        self.set_alarm();
    }

    #[cfg(feature = "state")]
    fn read(&mut self) {
        let myself = self.myself.clone();
        if let Some(archive) = &mut self.archive {
            archive.read(move |pasts| {
                let _ = myself.cast(Msg::Past(pasts));
            });
        }
    }

    #[cfg(feature = "state")]
    fn past(&mut self, pasts: Result<Pasts, crate::state::Trouble>) {
        let slots = self.setup.roster.slots();
        if let Some(archive) = &mut self.archive {
            archive.came(pasts, &slots);
        }
        slots.iter().for_each(|slot| self.show(slot));
    }

    #[cfg(feature = "state")]
    fn keep(&mut self, slots: &[Arc<Slot>]) {
        self.read();
        if let Some(archive) = &mut self.archive {
            archive.tick(slots);
        }
    }

    #[cfg(feature = "state")]
    fn close(&mut self) {
        let slots = self.setup.roster.slots();
        if let Some(archive) = &mut self.archive {
            archive.close(&slots);
        }
    }

    fn set_alarm(&mut self) {
        let myself = self.myself.clone();
        self.alarm.set(Some(Instant::now() + TICK), move || {
            let _ = myself.cast(Msg::Tick);
        });
    }

    fn show(&self, slot: &Slot) {
        let Some(now) = self.setup.hub.chronicle.figures(&slot.config.id) else { return };
        let news = slot.record.read(|status| (status.uptime, status.job_ms) != (now.uptime, now.job_ms));
        // A snapshot is published only where it says something new.
        if news {
            slot.record.note(|status| {
                (status.uptime, status.job_ms) = (now.uptime, now.job_ms);
            });
        }
    }
}

/// Without a database there is nothing to read and nothing to write.
#[cfg(not(feature = "state"))]
impl State {
    fn read(&mut self) {
        debug_assert!(self.setup.store.is_none());
    }

    fn keep(&mut self, _: &[Arc<Slot>]) {}

    fn close(&mut self) {}
}
