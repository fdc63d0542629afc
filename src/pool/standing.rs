//! Why a member gets work or does not, in words for a person.

use jiff::Timestamp;

use crate::{
    connection::{door::Way, slot::wall},
    model::{Fault, Phase, status::BreakerState},
    pool::{
        Ask,
        breaker::Gate,
        member::{Member, View, Width},
    },
};

/// Where a member stands for an ask, as it is now.
pub(crate) struct Standing {
    pub(crate) backend: String,
    /// Without the backend's name, and without what moves by itself.
    pub(crate) words: String,
    /// When it is dialed next.
    next: Option<Timestamp>,
    /// Why there is no session to use.
    pub(crate) fault: Option<Fault>,
    /// Whether there is a session that could be used, were a slot free.
    pub(crate) ready: bool,
}

impl Standing {
    pub(crate) fn of(member: &Member, view: &View<'_>) -> Self {
        let backend = member.slot.config.id.to_string();
        let (words, fault) = match &*member.slot.door.way() {
            Way::Shut(fault) | Way::Gone(fault) => (absence(member, fault), Some(fault.clone())),
            Way::Barred(_, fault) => (format!("takes nothing new: {fault}"), Some(fault.clone())),
            Way::Open(_) => match objection(member, view) {
                Some(words) => return Self { backend, words, next: None, fault: None, ready: false },
                None => (with_gate(member, view, use_of(member, view.ask)), None),
            },
        };
        let words = match member.slot.root_cause() {
            Some(root) => format!("{words}; {}", root.message),
            None => words,
        };
        let next = fault.as_ref().and_then(|_| next_dial(member));
        Self { backend, words, next, ready: fault.is_none(), fault }
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.backend, self.words)?;
        match self.next {
            Some(next) => write!(f, "; dialed again at {next:.0}"),
            None => Ok(()),
        }
    }
}

fn absence(member: &Member, fault: &Fault) -> String {
    format!("not ready, {}: {fault}", member.slot.record.read(|status| status.phase))
}

fn next_dial(member: &Member) -> Option<Timestamp> {
    member.slot.record.read(|status| status.next_attempt_at.filter(|_| status.phase == Phase::Waiting))
}

/// What speaks against a member that is ready.
fn objection(member: &Member, view: &View<'_>) -> Option<String> {
    if member.admits(view) {
        return view
            .tie
            .as_ref()
            .filter(|tie| !member.has(tie))
            .map(|_| "another one has the state".to_owned());
    }
    Some(match member.slot.cordoned_at() {
        Some(since) => format!("cordoned since {since:.0}"),
        None => format!("is a {}, not a {}", member.slot.kind().title(), view.ask.kinds),
    })
}

/// What the work before says against it.
fn with_gate(member: &Member, view: &View<'_>, used: String) -> String {
    let gate = if view.width == Width::One { Gate::Clear } else { member.slot.traffic.gate() };
    let shown = member.slot.traffic.shown();
    let why = shown.why.unwrap_or_default();
    let until = shown.until.map(|until| format!(" until {:.0}", wall(until))).unwrap_or_default();
    match gate {
        Gate::Clear => used,
        Gate::Resting => format!("others go first{until}: {why}; {used}"),
        Gate::Held => format!("gets nothing{until}: {why}; {used}"),
        Gate::Trial => format!("breaker half open, the next request is its trial: {why}; {used}"),
        Gate::Ejected if shown.state == BreakerState::HalfOpen => {
            format!("breaker half open, a trial is under way: {why}; {used}")
        }
        Gate::Ejected => format!("breaker open{until}: {why}; {used}"),
    }
}

fn use_of(member: &Member, ask: &Ask) -> String {
    let seats = &member.slot.door.seats;
    let mut words = Vec::new();
    if let Some(model) = &ask.model {
        if member.loaded.contains(model) {
            words.push("has the model loaded".to_owned());
        } else if member.lacks(ask) {
            words.push("does not offer the model".to_owned());
        }
    }
    words.push(format!("{} of {} slots used", seats.used(), seats.limit()));
    match seats.foreign() {
        0 => {}
        1 => words.push("1 job of others in its queue".to_owned()),
        jobs => words.push(format!("{jobs} jobs of others in its queue")),
    }
    words.join(", ")
}
