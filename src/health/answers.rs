//! Three questions that are kept apart: does it live, is it ready, and can it do this. Pure.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{BackendStatus, Capability, Class, Health, Identity, Phase};

/// An answer, with what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// Whether it holds.
    pub holds: Holds,
    /// One sentence.
    pub evidence: String,
}

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub enum Holds {
    Yes,
    No,
    /// Nothing says so or otherwise.
    Unknown,
}

/// Whether a backend can do something now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Able {
    /// What.
    pub capability: Capability,
    /// Whether.
    #[serde(flatten)]
    pub answer: Answer,
}

/// The answers about one backend.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Answers {
    /// Does its program run and answer?
    pub alive: Answer,
    /// Would it take work now?
    pub ready: Answer,
    /// What could it do, for each capability that it is known to have?
    pub able: Vec<Able>,
}

impl Answer {
    fn new(holds: Holds, evidence: impl Into<String>) -> Self {
        Self { holds, evidence: evidence.into() }
    }
}

impl Answers {
    /// What the state of a backend, and what it said of itself, come to.
    pub(crate) fn of(status: &BackendStatus, identity: Option<&Identity>) -> Self {
        let (alive, ready) = (alive(status), ready(status));
        let able = |capability: &Capability| {
            let shown = identity.and_then(|identity| identity.evidence_for(*capability));
            let shown = shown.map(|evidence| evidence.summary()).filter(|summary| !summary.is_empty());
            let shown = shown.unwrap_or_else(|| "it says so".to_owned());
            let answer = match ready.holds {
                Holds::Yes => Answer::new(Holds::Yes, shown),
                holds => Answer::new(holds, format!("{shown}; but not now: {}", ready.evidence)),
            };
            Able { capability: *capability, answer }
        };
        Self { able: status.capabilities.iter().map(able).collect(), alive, ready }
    }
}

fn alive(status: &BackendStatus) -> Answer {
    let why = || status.reason.clone().unwrap_or_else(|| "nothing was tried yet".to_owned());
    match status.phase {
        Phase::Ready | Phase::Draining if status.health == Health::Unhealthy => {
            Answer::new(Holds::Unknown, why())
        }
        Phase::Ready | Phase::Draining => Answer::new(Holds::Yes, last_seen(status)),
        // A person stopped it, or our own part is broken: that says nothing of the backend.
        Phase::Idle | Phase::Paused | Phase::Quarantined | Phase::Closed => {
            Answer::new(Holds::Unknown, why())
        }
        Phase::Dialing | Phase::Waiting | Phase::Parked => match &status.last_error {
            // It answers, but does not let us in.
            Some(error) if error.class == Class::Auth => Answer::new(Holds::Yes, error.message.clone()),
            Some(error) => Answer::new(Holds::No, error.message.clone()),
            None => Answer::new(Holds::Unknown, why()),
        },
    }
}

fn last_seen(status: &BackendStatus) -> String {
    let seen = status.last_check_at.max(status.connected_at);
    let ago = |at: Timestamp| Timestamp::now().duration_since(at).as_secs().max(0);
    seen.map_or_else(|| "it is connected".to_owned(), |at| format!("it last answered {} s ago", ago(at)))
}

fn ready(status: &BackendStatus) -> Answer {
    let why = || status.reason.clone().unwrap_or_else(|| format!("it is {}", status.phase));
    let slots = status.slots;
    match (status.phase, status.health) {
        (Phase::Ready, Health::Unhealthy) => Answer::new(Holds::No, why()),
        (Phase::Ready, _) if slots.used >= slots.limit => {
            Answer::new(Holds::No, format!("all {} slots are taken", slots.limit))
        }
        (Phase::Ready, _) => {
            let root = status.root_cause.as_ref().map(|root| format!("; but {}", root.message));
            let root = root.unwrap_or_default();
            Answer::new(Holds::Yes, format!("{} of {} slots are taken{root}", slots.used, slots.limit))
        }
        _ => Answer::new(Holds::No, why()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::BackendConfig,
        connection::record::blank,
        model::{Code, Evidence, Fault, Kind, status::LastError},
        net::Address,
    };

    fn status(phase: Phase, health: Health, fault: Option<Code>) -> BackendStatus {
        let config = BackendConfig::new("a".parse().unwrap(), Kind::Comfyui, Address::loopback(1));
        let mut status = blank(&config);
        (status.phase, status.health) = (phase, health);
        status.capabilities = vec![Capability::ImageGenerate];
        if let Some(code) = fault {
            status.reason = Some("why".to_owned());
            status.last_error = Some(LastError::new(&Fault::new(code, "what it met"), Timestamp::now()));
        }
        status
    }

    fn holds(status: &BackendStatus) -> (Holds, Holds, Holds) {
        let answers = Answers::of(status, None);
        (answers.alive.holds, answers.ready.holds, answers.able[0].answer.holds)
    }

    #[test]
    fn alive_ready_and_able_are_three_answers() {
        use Holds::{No, Unknown, Yes};
        let fit = status(Phase::Ready, Health::Healthy, None);
        assert_eq!(holds(&fit), (Yes, Yes, Yes));
        let mut full = fit.clone();
        full.slots.used = full.slots.limit;
        assert_eq!(holds(&full), (Yes, No, No));
        assert_eq!(holds(&status(Phase::Ready, Health::Unhealthy, Some(Code::Hang))), (Unknown, No, No));
        assert_eq!(holds(&status(Phase::Parked, Health::Unknown, Some(Code::AuthWrong))), (Yes, No, No));
        let gone = status(Phase::Waiting, Health::Unknown, Some(Code::ConnectionRefused));
        assert_eq!(holds(&gone), (No, No, No));
        assert_eq!(holds(&status(Phase::Paused, Health::Unknown, None)), (Unknown, No, No));
    }

    #[test]
    fn an_answer_names_what_it_rests_on() {
        let evidence = Evidence { nodes: vec!["KSampler".into()], ..Evidence::of(Capability::ImageGenerate) };
        let identity = Identity { evidence: vec![evidence], ..Identity::default() };
        let answers = Answers::of(&status(Phase::Ready, Health::Healthy, None), Some(&identity));
        assert_eq!(answers.able[0].answer.evidence, "node KSampler");
        assert_eq!(answers.ready.evidence, "0 of 3 slots are taken");
        let gone = status(Phase::Waiting, Health::Unknown, Some(Code::ConnectionRefused));
        let answers = Answers::of(&gone, Some(&identity));
        assert_eq!(answers.able[0].answer.evidence, "node KSampler; but not now: why");
    }
}
