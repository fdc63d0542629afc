//! The actor that keeps the histories in shape: one coarse tick for all backends.

use std::{sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::Instant;

use crate::{
    connection::{alarm::Alarm, slot::Slot},
    hub::Hub,
    roster::Roster,
};

/// Between ticks. Samples do not wait for it: it ages, and shows what changed.
const TICK: Duration = Duration::from_secs(10);

pub(crate) enum Msg {
    Tick,
}

/// The actor.
pub(crate) struct Historian;

pub(crate) struct Setup {
    pub(crate) roster: Arc<Roster>,
    pub(crate) hub: Arc<Hub>,
}

pub(crate) struct State {
    myself: ActorRef<Msg>,
    setup: Setup,
    alarm: Alarm,
}

impl Actor for Historian {
    type Msg = Msg;
    type State = State;
    type Arguments = Setup;

    async fn pre_start(&self, myself: ActorRef<Msg>, setup: Setup) -> Result<State, ActorProcessingErr> {
        Ok(State { myself, setup, alarm: Alarm::default() })
    }

    async fn post_start(&self, _: ActorRef<Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.set_alarm();
        Ok(())
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, state: &mut State) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Tick => state.tick(),
        }
        Ok(())
    }
}

impl State {
    fn tick(&mut self) {
        for slot in self.setup.roster.slots() {
            self.show(&slot);
        }
        self.set_alarm();
    }

    fn set_alarm(&mut self) {
        let myself = self.myself.clone();
        self.alarm.set(Some(Instant::now() + TICK), move || {
            let _ = myself.cast(Msg::Tick);
        });
    }

    fn show(&self, slot: &Slot) {
        let Some(now) = self.setup.hub.chronicle.figures(&slot.config.id) else { return };
        let news = slot.record.read(|status| {
            (status.uptime, status.request_ms, status.job_ms) != (now.uptime, now.request_ms, now.job_ms)
        });
        // A snapshot is published only where it says something new.
        if news {
            slot.record.update(|status| {
                (status.uptime, status.request_ms, status.job_ms) = (now.uptime, now.request_ms, now.job_ms);
            });
        }
    }
}
