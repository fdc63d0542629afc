//! What a driver says to pools: what its job asks for, and what came of it.

use super::Driver;
use crate::{
    backends::Setback,
    jobs::{errand::Turn, machine::Event},
    model::Class,
    pool::{Ask, Kinds, Purpose, outcome::Outcome},
};

impl Driver {
    /// Tells pools what came of an execution. Where others can take the work, the pause that one of them asked for is
    /// kept there, and the work goes on elsewhere.
    pub(super) fn report(&mut self, event: Event) -> Event {
        let outcome = match &event {
            Event::Finished { .. } => Outcome::Good,
            Event::Stopped(
                Setback::Refused(fault)
                | Setback::Unsent(fault)
                | Setback::Failed(fault)
                | Setback::Adrift(fault)
                | Setback::Uncertain(fault),
            ) => Outcome::of(fault),
            _ => return event,
        };
        if let Some(seat) = &self.seat {
            seat.report(&outcome);
            if let (Outcome::Good, Some(model)) = (&outcome, self.charge.work.model()) {
                seat.worked_with(&model);
            }
        }
        let Event::Stopped(Setback::Refused(fault) | Setback::Unsent(fault)) = &event else { return event };
        // What reached nobody is no load on anybody.
        if matches!(outcome, Outcome::Failed(_)) && fault.class() != Class::Unreachable {
            self.turn = Turn::Retry;
        }
        let choice =
            self.means.roster.route(&self.charge.target).is_ok_and(|route| route.members().len() > 1);
        match event {
            Event::Stopped(Setback::Refused(fault)) if choice => {
                Event::Stopped(Setback::Refused(fault.without_retry_after()))
            }
            event => event,
        }
    }

    /// What the job asks of a backend.
    pub(super) fn ask(&self, purpose: Purpose) -> Ask {
        Ask {
            priority: self.charge.machine.terms().priority,
            kinds: Kinds::for_work(&self.charge.work),
            model: self.charge.work.model(),
            since: Some(self.charge.clock.since(self.charge.number)),
            purpose,
            ..Ask::default()
        }
    }
}
