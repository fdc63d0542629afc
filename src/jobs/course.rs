//! What follows when an attempt stopped short. Pure.

use std::time::Duration;

use crate::{
    backends::{Abilities, Setback},
    model::{Code, Fault, JobState, job::Guarantee},
};

/// How often a job may take its backend down before it is held.
const DEATHS: u32 = 2;
/// First and longest wait before work that was refused is sent again.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What has happened to a job so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Executions begun.
    pub attempts: u32,
    /// Times that its backend died while it ran.
    pub deaths: u32,
    /// Times in a row that it was refused before it ran.
    pub refusals: u32,
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// It is over.
    End {
        /// How.
        state: JobState,
        /// Why.
        fault: Option<Fault>,
    },
    /// Send it (again), under a fresh id of ours, after a wait.
    Send {
        /// The wait.
        after: Duration,
        /// Why that is safe.
        evidence: String,
    },
    /// Look it up on the next session, and go on watching.
    Follow {
        /// Why.
        evidence: String,
    },
}

/// What follows a setback.
pub fn after(setback: Setback, tally: &mut Tally, abilities: Abilities) -> Next {
    let end = |state, fault| Next::End { state, fault: Some(fault) };
    match setback {
        Setback::Refused(fault) if fault.is_retryable() => {
            tally.refusals = tally.refusals.saturating_add(1);
            let grown = FIRST_WAIT.saturating_mul(1 << tally.refusals.min(10)) / 2;
            let after = fault.retry_after().unwrap_or_else(|| grown.min(LONGEST_WAIT));
            Next::Send { after, evidence: format!("it never ran: {fault}") }
        }
        Setback::Refused(fault) | Setback::Failed(fault) => end(JobState::Failed, fault),
        Setback::Cancelled => Next::End { state: JobState::Cancelled, fault: None },
        Setback::Adrift(fault) if abilities.can_look_up || abilities.survives_disconnect => Next::Follow {
            evidence: format!("the connection was lost, which says nothing of the job: {fault}"),
        },
        Setback::Adrift(fault) | Setback::Uncertain(fault) => end(JobState::Uncertain, fault),
        Setback::Gone { evidence, unfinished: false } => end(
            JobState::Uncertain,
            Fault::new(
                Code::Uncertain,
                format!("whether it ended before its backend did is unknown: {evidence}"),
            ),
        ),
        Setback::Gone { evidence, unfinished: true } => {
            tally.deaths += 1;
            if tally.deaths >= DEATHS {
                let text =
                    format!("its backend died {} times while it ran; the last: {evidence}", tally.deaths);
                return end(JobState::Held, Fault::new(Code::Lost, text));
            }
            let evidence = format!("its backend died before it was finished: {evidence}");
            Next::Send { after: Duration::ZERO, evidence }
        }
    }
}

/// What can be promised, by what the kind can do.
pub fn guarantee(abilities: Abilities) -> Guarantee {
    if abilities.can_choose_id && abilities.can_look_up {
        Guarantee::EffectivelyOnce
    } else {
        Guarantee::AtMostOnce
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMFY: Abilities = Abilities {
        can_choose_id: true,
        can_look_up: true,
        can_cancel_by_id: true,
        survives_disconnect: true,
        survives_backend_restart: false,
    };
    const CHAT: Abilities = Abilities {
        can_choose_id: false,
        can_look_up: false,
        can_cancel_by_id: false,
        survives_disconnect: false,
        survives_backend_restart: false,
    };

    fn fault(code: Code) -> Fault {
        Fault::new(code, "x")
    }

    fn state(next: Next) -> JobState {
        match next {
            Next::End { state, .. } => state,
            other => panic!("not an end: {other:?}"),
        }
    }

    #[test]
    fn a_lost_socket_is_followed_where_it_can_be_and_is_a_doubt_where_not() {
        let lost = || Setback::Adrift(fault(Code::ConnectionReset));
        assert!(matches!(after(lost(), &mut Tally::default(), COMFY), Next::Follow { .. }));
        assert_eq!(state(after(lost(), &mut Tally::default(), CHAT)), JobState::Uncertain);
    }

    #[test]
    fn busy_waits_and_wrong_fails() {
        let mut tally = Tally::default();
        let waits: Vec<_> = (0..9)
            .map(|_| match after(Setback::Refused(fault(Code::QueueFull)), &mut tally, COMFY) {
                Next::Send { after, .. } => after,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(waits.is_sorted() && waits[0] == FIRST_WAIT && waits[8] == LONGEST_WAIT, "{waits:?}");
        let wrong = Setback::Refused(fault(Code::InvalidWorkflow));
        assert_eq!(state(after(wrong, &mut tally, COMFY)), JobState::Failed);
        let limited = fault(Code::RateLimited).with_retry_after(Duration::from_secs(60));
        let next = after(Setback::Refused(limited), &mut tally, CHAT);
        assert!(matches!(next, Next::Send { after, .. } if after == Duration::from_secs(60)));
    }

    #[test]
    fn a_watched_death_runs_again_once_and_a_second_one_holds() {
        let mut tally = Tally::default();
        let gone = |unfinished| Setback::Gone { evidence: fault(Code::ConnectionRefused), unfinished };
        assert!(matches!(after(gone(true), &mut tally, COMFY), Next::Send { .. }));
        assert_eq!(state(after(gone(true), &mut tally, COMFY)), JobState::Held);
        assert_eq!(state(after(gone(false), &mut Tally::default(), COMFY)), JobState::Uncertain);
    }
}
